virtual_service "web" {
  address = "10.13.0.200"
  port    = 80
  forward = "nat"
  check "http" {
    method = "GET /"  # ERROR: Invalid method
  }
  real_server "192.168.1.4" {}
}
