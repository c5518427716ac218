virtual_service "web" {
  firewall_mark = 7
  forward       = "direct"
  check "http" {}  # ERROR: Check without port
  real_server "192.168.1.4" {}
  real_server "192.168.1.5" {}
}
