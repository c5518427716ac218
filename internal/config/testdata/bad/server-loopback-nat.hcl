virtual_service "web" {
  address = "10.13.0.200"
  port    = 80
  forward = "nat"
  real_server "127.0.0.1" { port = 8080 }  # ERROR: Loopback with NAT
}
