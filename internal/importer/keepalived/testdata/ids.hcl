# One file for both directors.
virtual_router "VI_10" {
  interface = "eth0.10"
  id        = 10
  version   = 2
  priority  = 150
  addresses = ["10.13.10.200/24", "10.13.10.201/24", "10.13.10.202/24"]
  peers     = ["10.13.0.16"]
  min_ttl   = 1 # as with keepalived; better 255 less the number of routers between
}

virtual_router "VI_20" {
  interface = "eth0.20"
  id        = 20
  version   = 2
  priority  = 150
  addresses = ["10.13.20.200/24", "10.13.20.201/24", "10.13.20.202/24"]
  peers     = ["10.13.0.16"]
  min_ttl   = 1 # as with keepalived; better 255 less the number of routers between
}

# as all teams have it
virtual_router "extra" {
  interface = "eth1"
  id        = 30
  version   = 2
  addresses = ["10.14.0.200/24"]
  peers     = ["10.14.0.17"]
  min_ttl   = 254
  source    = "10.14.0.15"

  on "backup" {
    run  = ["/bin/logger", "from testdata/ids.d"]
    user = "nobody"
  }
}
