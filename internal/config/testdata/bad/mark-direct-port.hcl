virtual_service "web" {
  firewall_mark = 7
  forward       = "direct"
  real_server "192.168.1.4" { port = 80 }  # ERROR: Untranslatable port
}
