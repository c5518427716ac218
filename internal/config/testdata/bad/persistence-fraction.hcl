virtual_service "web" {
  address = "10.13.0.200"
  port    = 80
  forward = "nat"
  persistence { timeout = "1500ms" }  # ERROR: Invalid timeout
  real_server "192.168.1.4" {}
}
