virtual_service "web" {
  address = "10.13.0.200"
  port    = 80
  forward = "nat"
  real_server "2001:db8::4" {}  # ERROR: Wrong family
}
