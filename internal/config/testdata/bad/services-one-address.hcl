virtual_service "web" {
  address = "10.13.0.200"
  port    = 80
  forward = "nat"
  real_server "192.168.1.4" {}
}

virtual_service "www" {  # ERROR: Duplicate virtual service tcp 10.13.0.200:80
  address = "10.13.0.200"
  port    = 80
  forward = "direct"
  real_server "192.168.1.5" {}
}
