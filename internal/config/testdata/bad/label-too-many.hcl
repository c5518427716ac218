director "main" {  # ERROR: Unexpected label for director
}
locals "more" {  # ERROR: Unexpected label for locals
  a = 1
  b {}  # ERROR: Unknown block "b"
}
virtual_service "web" {
  address = "10.13.0.200"
  port    = 80
  forward = "nat"
  check "tcp" "http" {}  # ERROR: Unexpected label for check
  real_server "192.168.1.4" {}
  fallback = "192.168.1.5"  # ERROR: Unknown argument "fallback"
  scheduler {}  # ERROR: Unknown block "scheduler"
}
virtual_router "outside" {
  interface = "eth0"
  id        = 51
  addresses = ["10.13.0.200/24"]
  track "interface" {}  # ERROR: Missing name for track
  track "interface" "eth1" {
    factor = 10  # ERROR: Unknown argument "factor"
  }
}
