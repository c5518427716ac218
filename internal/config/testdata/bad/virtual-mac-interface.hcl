virtual_router "outside" {
  interface = "eth0"
  id        = 51
  addresses = ["10.13.0.200/24"]
  virtual_mac {
    device = "eth0" # ERROR: Invalid device
  }
}
