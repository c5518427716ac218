virtual_router "outside" {
  interface = "eth0"
  id        = 51
  addresses = []
  extra_address "10.13.0.200/24" {}
  virtual_mac {} # ERROR: Unused virtual_mac
}
