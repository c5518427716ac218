virtual_router "outside" {
  interface = "eth0"
  id        = 51
  addresses = ["10.13.0.200/24"]
  track "interface" "eth1" {}
  track "interface" "eth1" {}  # ERROR: Duplicate track
}
