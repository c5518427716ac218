virtual_service "web" {
  address = "10.13.0.200"
  port    = 80
  forward = "nat"
  check "http" {
    tls { verify = false }  # ERROR: Unused tls block
  }
  real_server "192.168.1.4" {}
}
