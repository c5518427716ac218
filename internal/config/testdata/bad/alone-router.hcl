virtual_router "outside" {
  interface = "eth0"
  id        = 51
  addresses = ["10.13.0.201/33"]  # ERROR: Invalid prefix length
}

virtual_service "web" {
  address = "10.13.0.201"
  port    = 80
  forward = "nat"
  real_server "192.168.1.4" {}
}
