virtual_router "outside" {
  interface = "eth0"
  id        = 50
  addresses = ["10.13.0.200/24"]
  track "interface" "eth1" {}
}
virtual_router "inside" {
  interface = "eth0"
  id        = 51
  addresses = ["10.13.0.201/24"]
  track "interface" "eth1" { up_after = "10s" }
}
virtual_router "other" {
  interface = "eth0"
  id        = 52
  addresses = ["10.13.0.202/24"]
  track "interface" "eth1" {  # ERROR: Duplicate condition "interface" "eth1"
    up_after = "20s"
  }
}
virtual_router "again" {
  interface = "eth0"
  id        = 53
  addresses = ["10.13.0.203/24"]
  track "interface" "eth1" {
    weight   = -20
    up_after = "10s"
  }
  track "interface" "lo" {}
}
condition "interface" "eth1" {}  # ERROR: Duplicate condition "interface" "eth1"
condition "interface" "lo" {}
condition "interface" "lo" {}  # ERROR: Duplicate condition "interface" "lo"
