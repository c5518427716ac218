director {
  marks = "0x6c76fff0-0x6c77ffff" # ERROR: Reserved firewall marks
}

virtual_service "web" {
  address = "10.13.0.200"
  port    = 80
  forward = "nat"
  real_server "192.168.1.4" {}
}
