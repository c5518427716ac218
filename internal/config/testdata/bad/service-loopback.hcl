virtual_service "web" {
  address = "127.0.0.1"  # WARNING: Loopback address
  port    = 80
  forward = "direct"
  real_server "192.168.1.4" {}
}
