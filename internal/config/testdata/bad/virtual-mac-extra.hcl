virtual_router "outside" {
  interface = "eth0"
  id        = 51
  addresses = ["10.13.0.200/24"]
  virtual_mac {} # ERROR: Extra address on the virtual MAC
  extra_address "10.13.0.201/24" {
    interface = "vrrp4-51" # WARNING: No interface "vrrp4-51" on this machine
  }
}
