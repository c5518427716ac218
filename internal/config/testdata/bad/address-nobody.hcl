virtual_service "web" {
  address = "10.13.0.201"  # WARNING: Address held by nobody
  port    = 80
  forward = "nat"
  real_server "192.168.1.4" {}
}
