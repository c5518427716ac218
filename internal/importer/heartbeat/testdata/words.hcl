director {
  watchdog {
    device  = "/dev/watchdog"
    timeout = "1m"
  }
}

virtual_router "lvs1" {
  interface       = "eth0"
  id              = 51
  priority        = { lvs1 = 150, lvs2 = 100 }[node.name]
  advert_interval = "2s"
  addresses       = ["10.13.0.200/24"]
}
