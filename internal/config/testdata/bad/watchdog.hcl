director {
  watchdog {
    device  = "/dev/watchdog" # WARNING: Watchdog that cannot be opened
    timeout = "5500ms" # ERROR: Invalid timeout
  }
}
virtual_router "outside" {
  interface = "eth0"
  id        = 51
  addresses = ["10.13.0.200/24"]
}
