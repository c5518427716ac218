virtual_service "web" {
  address = "::ffff:10.13.0.200"  # ERROR: Invalid address
  port    = 80
  forward = "nat"
  real_server "192.168.1.4" {}
}
