director {
  connection_sync {
    router    = "lvs1"
    interface = "eth1"
  }

  watchdog {
    device  = "/dev/watchdog"
    timeout = "1m"
  }
}

# the shop
virtual_router "lvs1" {
  interface       = "eth0"
  link_up_delay   = "1m" # initdead
  id              = 51
  priority        = { lvs1 = 150, lvs2 = 140 }[node.name]
  advert_interval = "500ms"
  missed_adverts  = 20
  addresses       = ["10.13.0.200/24"]

  address "10.13.0.201/24" {
    label     = "eth0:shop"
    broadcast = "10.13.0.255"
  }

  extra_address "192.168.1.254/24" { interface = "eth1" }
  track "ping" "10.13.0.1" { weight = -20 }
  track "ping" "dns" { weight = -20 }

  authentication {
    signer = 1
    replay = "order"
    key "1" { file = "/etc/lvsd/heartbeat.key1" }
    key "2" { file = "/etc/lvsd/heartbeat.key2" }
  }
}

virtual_router "lvs2" {
  interface       = "eth0"
  link_up_delay   = "1m" # initdead
  id              = 52
  priority        = { lvs1 = 140, lvs2 = 150 }[node.name]
  advert_interval = "500ms"
  missed_adverts  = 20
  addresses       = ["10.13.0.210/24"]
  track "ping" "10.13.0.1" { weight = -20 }
  track "ping" "dns" { weight = -20 }

  authentication {
    signer = 1
    replay = "order"
    key "1" { file = "/etc/lvsd/heartbeat.key1" }
    key "2" { file = "/etc/lvsd/heartbeat.key2" }
  }
}

condition "ping" "10.13.0.1" {
  addresses = ["10.13.0.1"]
  timeout   = "500ms"
  interval  = "500ms"
  rise      = 1
  fall      = 20
}

condition "ping" "dns" {
  addresses = ["10.13.0.53", "10.13.0.54"]
  timeout   = "500ms"
  interval  = "500ms"
  rise      = 1
  fall      = 20
}
