virtual_router "outside" {
  interface = "eth0",  # ERROR: Unexpected comma
  id        = 51
  addresses = ["10.13.0.200/24"]
}
