virtual_service "web" {
  firewall_mark = 7
  forward       = "direct"
  check "http" {}
  real_server "192.168.1.4" {}  # ERROR: Check without port
}
