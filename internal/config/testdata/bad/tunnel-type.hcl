virtual_service "web" {
  address = "10.13.0.200"
  port    = 80
  forward = "tunnel"
  tunnel { type = "gru" }  # ERROR: Unknown type "gru"
  real_server "192.168.1.4" {}
}
