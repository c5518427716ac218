virtual_router "outside" {
  interface = "eth0"
  id        = 51
  addresses = ["10.13.0.200/24"]
  extra_address "192.168.1.254/24" { interface = "eth1" }
}

virtual_router "inside" {
  interface = "eth1"
  id        = 52
  addresses = ["192.168.1.254/24"]  # ERROR: Duplicate virtual address 192.168.1.254
}
