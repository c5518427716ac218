virtual_service "web" {
  address = "10.13.0.200"
  port    = 80
  forward = "nat"
  one_packet = true  # ERROR: One-packet scheduling without UDP
  real_server "192.168.1.4" {}
}
