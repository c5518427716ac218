virtual_service "web" {
  address = "10.13.0.200"
  port    = 80
  forward = "nat"
  check "http" {
    interval = "1s"
    timeout  = "2s"  # ERROR: Timeout longer than interval
  }
  real_server "192.168.1.4" {}
}
