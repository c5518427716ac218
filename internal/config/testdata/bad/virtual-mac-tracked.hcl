virtual_router "outside" {
  interface = "eth0"
  id        = 51
  addresses = ["10.13.0.200/24"]
  track "interface" "vrrp4-51" {} # WARNING: No interface "vrrp4-51" on this machine
  virtual_mac {} # ERROR: Tracked virtual MAC
}
