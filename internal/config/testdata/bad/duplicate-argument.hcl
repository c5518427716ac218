virtual_service "web" {
  address = "10.13.0.200"
  port    = 80
  forward = "nat"
  protocol = "tcp"
  protocol = "udp"  # ERROR: Duplicate argument
  real_server "192.168.1.4" {}
}
