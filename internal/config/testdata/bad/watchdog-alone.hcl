director {
  watchdog { device = "/dev/watchdog" } # WARNING: Watchdog that cannot be opened # WARNING: Watchdog without virtual router
}
virtual_service "web" {
  address = "10.13.0.200"
  port    = 80
  forward = "nat"
  real_server "192.168.1.4" {}
}
