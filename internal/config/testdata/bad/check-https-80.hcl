virtual_service "web" {
  address = "10.13.0.200"
  port    = 80
  forward = "nat"
  check "https" {}  # WARNING: TLS on port 80
  real_server "192.168.1.4" {}
  real_server "192.168.1.5" {}
  real_server "192.168.1.6" { port = 443 }
}
