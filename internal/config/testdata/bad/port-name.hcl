virtual_service "web" {
  address = "10.13.0.200"
  port    = "http"  # ERROR: Wrong type for port
  forward = "nat"
  real_server "192.168.1.4" {}
}
