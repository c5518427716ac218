virtual_service "web" {
  address = "10.13.0.200"
  port    = 65536  # ERROR: Invalid port
  forward = "nat"
  real_server "192.168.1.4" {}
}
