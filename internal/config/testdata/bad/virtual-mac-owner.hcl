virtual_router "outside" {
  interface = "eth0"
  id        = 51
  addresses = ["10.13.0.200/24"]
  priority  = 255
  virtual_mac {} # ERROR: Owner with a virtual MAC
}
