virtual_service "web" {
  address = "10.13.0.200"
  port    = 80
  forward = "nat"
  check "http" {
    interval = 2  # ERROR: Missing unit
  }
  real_server "192.168.1.4" {}
}
