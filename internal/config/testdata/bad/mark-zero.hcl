virtual_service "web" {
  firewall_mark = 0  # ERROR: Invalid firewall_mark
  forward       = "nat"
  real_server "192.168.1.4" {}
}
