virtual_router "outside" {
  interface = "eth0"
  id        = 51
  addresses = ["10.13.0.200/24"]
  announce {
    repeat   = 100
    interval = "1s"
    refresh  = "1m" # WARNING: Endless announcements
  }
}
