virtual_router "six" {
  interface       = "ens3"
  id              = 7
  priority        = 101
  advert_interval = "250ms"
  preempt         = false
  addresses       = ["fe80::7/64", "2001:db8:1::7/64"]
  peers           = ["2001:db8:1::3", "2001:db8:2::3"]
  min_ttl         = 1 # as with keepalived; better 255 less the number of routers between
  source          = "2001:db8:1::2"
  accept          = false

  route "2001:db8:9::/48" {
    via       = "2001:db8:1::1"
    interface = "ens3"
    metric    = 100
  }

  route "2001:db8:8::/48" { type = "blackhole" }

  rule {
    priority = 50
    from     = "2001:db8:9::/48"
    table    = 100
  }

  announce { repeat = 3 }
}
