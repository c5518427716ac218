virtual_service "web" {
  address = "10.13.0.200"
  port    = 443
  forward = "nat"
  check "https" {
    tls { ca_file = "no-such.pem" }  # ERROR: Unreadable ca_file
  }
  real_server "192.168.1.4" {}
}
