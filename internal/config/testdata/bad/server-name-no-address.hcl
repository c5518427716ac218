virtual_service "web" {
  address = "10.13.0.200"
  port    = 80
  forward = "nat"
  real_server "compute-0-0" { weight = 3 }  # ERROR: Missing address
}
