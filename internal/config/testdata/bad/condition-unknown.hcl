virtual_router "outside" {
  interface = "eth0"
  id        = 50
  addresses = ["10.13.0.200/24"]
  track "ping" "gatway" { weight = -20 }  # ERROR: Unknown condition "gatway"
  track "ping" "dns" {}                   # ERROR: Unknown condition "dns"
  track "service" "wep" { weight = -20 }  # ERROR: Unknown virtual_service "wep"
  track "ping" "gateway" {}
}
condition "ping" "gateway" { addresses = ["10.13.0.1"] }
virtual_service "web" {
  address = "10.13.0.200"
  port    = 80
  forward = "nat"
  real_server "192.168.1.4" {}
}
