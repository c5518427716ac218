virtual_service "web" {
  address = "10.13.0.200"
  port    = 80
  forward = "nat"
  scheduler = "rr"  # WARNING: Weights without effect
  real_server "192.168.1.4" { weight = 3 }
}
