virtual_service "web" {
  firewall_mark = 7
  address       = "10.13.0.200"  # ERROR: Unused address
  port          = 80  # ERROR: Unused port
  forward       = "nat"
  real_server "192.168.1.4" {}
}
