virtual_service "web" {
  address = "10.13.0.200"
  port    = 80
  forward = "nat"
  persistence { timeout = "300s", netmask = 24 }  # ERROR: Several arguments on one line
  real_server "192.168.1.4" {}
}
