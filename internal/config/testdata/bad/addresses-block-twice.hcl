virtual_router "outside" {
  interface = "eth0"
  id        = 51
  addresses = ["10.13.0.200/24"]
  address "10.13.0.200/24" {} # ERROR: Duplicate virtual address 10.13.0.200
}
