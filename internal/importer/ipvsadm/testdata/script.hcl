director {
  ipvs {
    tcp_timeout     = "1h"
    tcp_fin_timeout = "30s"
  }
}

# the web servers
virtual_service "192.0.2.1:80" {
  address = "192.0.2.1"
  port    = 80
  forward = "nat"
  check "none" {}

  # both
  real_server "10.0.0.1" {}

  real_server "10.0.0.2" { weight = 5 }
}

virtual_service "192.0.2.1:443" {
  address   = "192.0.2.1"
  port      = 443
  scheduler = "rr"
  forward   = "direct"
  check "none" {}
}

virtual_service "192.0.2.1:25" {
  address   = "192.0.2.1"
  port      = 25
  scheduler = "sed"
  forward   = "direct"
  check "none" {}
  real_server "10.0.0.1" {}
}
