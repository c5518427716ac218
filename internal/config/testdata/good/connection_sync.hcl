# What the kernel's sync daemons tell each other follows a virtual router.
director {
  connection_sync {
    router     = "outside"
    interface  = "eth1"
    id         = 7
    group      = "224.0.0.82"
    port       = 8850
    ttl        = 2
    max_length = 1400
    refresh    = "30s"
    rate       = 5000
  }
}

virtual_router "outside" {
  interface = "eth0"
  id        = 51
  priority  = 100
  addresses = ["10.13.0.200/24"]
}
