virtual_router "outside" {
  interface = "eth0"
  id        = 50
  addresses = ["10.13.0.200/24"]
  track "interface" "eth1" {
    weight = 0  # ERROR: Weight of 0
  }
}
virtual_router "inside" {
  interface = "eth0"
  id        = 51
  addresses = ["10.13.0.201/24"]
  priority = 255
  track "interface" "eth1" {
    weight = -20  # WARNING: Weight of an owner
  }
  track "interface" "lo" {
    weight = 254  # ERROR: Invalid weight
  }
}
