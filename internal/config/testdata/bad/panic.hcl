virtual_service "web" {
  address         = "10.13.0.200"
  port            = 80
  forward         = "nat"
  panic_threshold = "100%"  # ERROR: Invalid share
  real_server "192.168.1.4" {}
}

virtual_service "mail" {
  address   = "10.13.0.200"
  port      = 25
  forward   = "nat"
  panic_for = "10s"  # ERROR: Unused panic_for
  real_server "192.168.1.4" {}
}
