virtual_router "outside" {
  interface       = env.INSIDE
  id              = 51
  advert_interval = "100ms"
  addresses       = ["fe80::200/64", "2001:db8::200/64"]
  peers           = ["fe80::16"]
}

virtual_service "web" {
  address = "2001:db8::200"
  port    = 80
  forward = "direct"
  persistence { netmask = 64 }
  real_server "2001:db8::4" {}
}

virtual_router "owner" {
  interface = "eth1"
  id        = 52
  priority  = 255
  addresses = ["fe80::5/64"]
  source    = "fe80::5"
}
