virtual_service "web" {
  address = "10.13.0.200"
  port    = 80
  forward = "nat"
  real_server "0.0.0.0" {}  # ERROR: Invalid address
}
