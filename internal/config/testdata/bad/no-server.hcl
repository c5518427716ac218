virtual_service "web" {  # WARNING: No real server
  address = "10.13.0.200"
  port    = 80
  forward = "nat"
}
