virtual_service "web" {
  firewall_mark = 7
  forward       = "nat"
  real_server "2001:db8::4" {}  # ERROR: Wrong family
}
