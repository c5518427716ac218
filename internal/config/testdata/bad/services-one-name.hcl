virtual_service "web" {
  address = "10.13.0.200"
  port    = 80
  forward = "nat"
  real_server "192.168.1.4" {}
}

virtual_service "web" {  # ERROR: Duplicate virtual_service "web"
  address = "10.13.0.200"
  port    = 443
  forward = "direct"
  real_server "192.168.1.5" {}
}
