director {
  watchdog {
    device  = "/var/../dev/watchdog" # ERROR: Invalid device
    timeout = "1s" # ERROR: Invalid timeout
  }
}
virtual_router "outside" {
  interface = "eth0"
  id        = 51
  addresses = ["10.13.0.200/24"]
}
