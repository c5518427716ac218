virtual_service "web" {
  address = "10.13.0.200"
  port    = 80
  forward = "nat"
  real_server "192.168.1.4" { lower_threshold = 10 }  # ERROR: Lower threshold alone
}
