virtual_router "outside" {
  interface = "eth0"
  id        = 51
  addresses = ["10.13.0.200/24"]
  announce {
    refresh    = "500ms" # ERROR: Invalid refresh
    interfaces = ["eth0", "eth1", "e/1"] # ERROR: Duplicate interface # ERROR: Invalid interface
  }
}
