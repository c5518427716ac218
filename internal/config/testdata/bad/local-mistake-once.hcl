locals {
  net = cidrsubnet("10.13.0.0", 8, 0)  # ERROR: Invalid function argument
}

virtual_router "outside" {
  interface = "eth0"
  id        = 51
  addresses = [local.net]
}

virtual_service "web" {
  address = local.net
  port    = 80
  forward = "nat"
  real_server "192.168.1.4" {}
}
