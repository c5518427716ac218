virtual_service "web" {
  address = "10.13.0.200"
  port    = 80
  forward = "nat"
  check "http" {
    interval = "1ms"  # ERROR: Invalid interval
  }
  real_server "192.168.1.4" {}
}
