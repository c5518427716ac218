virtual_service "web" {
  address = "10.13.0.200"
  port    = 80
  forward = "nat"
  tunnel {}  # ERROR: Unused tunnel block
  real_server "192.168.1.4" {}
}
