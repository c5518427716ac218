virtual_service "web" {
  address = "10.13.0.200/24"  # ERROR: Invalid address
  port    = 80
  forward = "nat"
  real_server "192.168.1.4" {}
}
