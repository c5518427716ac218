virtual_service "web" {
  address = "10.13.0.200"
  port    = 80
  forward = "nat"
  check "tcp" {
    interval      = "1s"
    fast_interval = "2s"  # ERROR: Intervals reversed
    idle_interval = "500ms"  # ERROR: Intervals reversed
  }
  real_server "192.168.1.4" {}
}
