director {
  marks = "1-100" # ERROR: Invalid marks
}

virtual_service "web" {
  address = "10.13.0.200"
  port    = 80
  forward = "nat"
  real_server "192.168.1.4" {}
}
