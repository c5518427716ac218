director {
  keeper_processors = "2,3"
}

virtual_router "keys" {
  interface       = "eth0"
  link_up_delay   = "12500ms"
  id              = 10
  priority        = 200
  advert_interval = "2500ms"
  addresses       = ["198.51.100.10/24"]
  multicast_group = "224.0.0.99"

  announce {
    repeat   = 2
    interval = "20ms"
    refresh  = "30s"
  }

  authentication {
    signer = 2
    mode   = "permissive"
    window = "7s"
    key "1" { file = "/etc/lvsd/keys.key1" }

    # the new one
    key "2" { file = "/etc/keepalived/keys/vrrp10" }
  }

  virtual_mac { device = "web.10" }
}

virtual_router "ordered" {
  interface       = "eth1"
  link_up_delay   = "12500ms"
  id              = 11
  priority        = 254
  addresses       = ["198.51.101.10/24"]
  multicast_group = "224.0.0.99"

  extra_address "198.51.101.11/24" {
    interface = "eth4"
    track     = false
  }

  announce {
    interval = "50ms"
    refresh  = "30s"
  }

  authentication {
    replay = "order"
    key "7" { file = "/etc/lvsd/ordered.key7" }
  }
}

virtual_router "AH" {
  interface       = "eth1"
  link_up_delay   = "12500ms"
  id              = 12
  priority        = 254
  addresses       = ["198.51.102.10/24"]
  multicast_group = "224.0.0.99"

  announce {
    interval = "50ms"
    refresh  = "30s"
  }
}
