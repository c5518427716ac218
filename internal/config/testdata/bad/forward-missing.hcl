virtual_service "web" {  # ERROR: Missing forward
  address = "10.13.0.200"
  port    = 80
  real_server "192.168.1.4" {}
}
