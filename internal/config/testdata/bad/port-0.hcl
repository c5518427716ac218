virtual_service "web" {
  address = "10.13.0.200"
  port    = 0  # ERROR: Port 0 without persistence
  forward = "nat"
  real_server "192.168.1.4" {}
}
