virtual_router "outside" {
  interface = "eth0"
  id        = 51
  addresses = ["10.13.0.200/24"]
  virtual_mac {}
}

virtual_router "inside" {
  interface = "eth1"
  id        = 51
  addresses = ["10.14.0.200/24"]
  virtual_mac {} # ERROR: Duplicate device of a virtual MAC vrrp4-51
}
