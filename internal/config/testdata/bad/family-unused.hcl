virtual_service "web" {
  address = "10.13.0.200"
  port    = 80
  forward = "nat"
  family  = "ipv4"  # ERROR: Unused family
  real_server "192.168.1.4" {}
}
