virtual_service "web" {
  address = "10.13.0.200"
  port    = 80
  forward = "direct"
  real_server "192.168.1.4" { port = 8080 }  # ERROR: Untranslatable port
}
