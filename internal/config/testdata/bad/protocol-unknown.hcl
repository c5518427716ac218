virtual_service "web" {
  address = "10.13.0.200"
  port    = 80
  forward = "nat"
  protocol = "TCP"  # ERROR: Unknown protocol "TCP"
  real_server "192.168.1.4" {}
}
