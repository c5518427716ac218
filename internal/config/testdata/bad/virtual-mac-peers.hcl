virtual_router "outside" {
  interface = "eth0"
  id        = 51
  addresses = ["10.13.0.200/24"]
  peers     = ["10.13.0.16"]
  virtual_mac {} # WARNING: Virtual MAC without multicast
}
