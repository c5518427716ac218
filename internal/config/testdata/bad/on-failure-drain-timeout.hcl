virtual_service "web" {
  address       = "10.13.0.200"
  port          = 80
  forward       = "nat"
  drain_timeout = "0s"
  real_server "192.168.1.4" {}
  real_server "192.168.1.5" { on_failure = "drain_timeout" }  # ERROR: No time to drain
}
