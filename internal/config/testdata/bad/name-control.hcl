virtual_service "web" {
  address = "10.13.0.200"
  port    = 80
  forward = "nat"
  real_server "a\nb" { address = "192.168.1.4" }  # ERROR: Invalid name
}
