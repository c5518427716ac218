virtual_service "web" {
  address         = "10.13.0.200"
  port            = 80
  forward         = "nat"
  min_healthy     = "half"  # ERROR: Invalid quantity
  recover_healthy = 3
  real_server "192.168.1.4" {}
}

virtual_service "mail" {
  address         = "10.13.0.200"
  port            = 25
  forward         = "nat"
  min_healthy     = 3
  recover_healthy = 2  # ERROR: Quantities reversed
  real_server "192.168.1.4" {}
}

virtual_service "ftp" {
  address         = "10.13.0.200"
  port            = 21
  forward         = "nat"
  min_healthy     = "50%"
  recover_healthy = 2  # ERROR: Different measures
  real_server "192.168.1.4" {}
}

virtual_service "dns" {
  address         = "10.13.0.200"
  port            = 53
  forward         = "nat"
  scheduler       = "mh"
  slow_start      = "1m"  # ERROR: Slow start with mh
  recover_healthy = 2     # ERROR: Unused recover_healthy
  real_server "192.168.1.4" {}
}
