virtual_service "web" {
  address = "10.13.0.200"
  port    = 80
  forward = "masq"  # ERROR: Unknown forward "masq"
  real_server "192.168.1.4" {}
}
