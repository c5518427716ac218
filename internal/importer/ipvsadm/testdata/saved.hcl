virtual_service "192.0.2.100:80" {
  address   = "192.0.2.100"
  port      = 80
  scheduler = "wrr"
  forward   = "nat"
  persistence { netmask = "24" }
  check "none" {}
  real_server "10.0.0.11" { weight = 3 }

  real_server "10.0.0.12" {
    port            = 8080
    upper_threshold = 200
    lower_threshold = 150
  }

  real_server "10.0.0.12:8081" {
    address = "10.0.0.12"
    port    = 8081
    weight  = 0
  }
}

virtual_service "192.0.2.100:53-udp" {
  address    = "192.0.2.100"
  port       = 53
  protocol   = "udp"
  scheduler  = "rr"
  forward    = "direct"
  one_packet = true
  check "none" {}
  real_server "10.0.0.11" {}
}

virtual_service "fwmark-7" {
  firewall_mark   = 7
  scheduler       = "sh"
  scheduler_flags = ["fallback", "port"]
  forward         = "tunnel"
  persistence { timeout = "6m" }
  check "none" {}
  real_server "10.0.0.11" {}
  real_server "10.0.0.12" { forward = "direct" }

  real_server "10.0.0.13" {
    tunnel {
      type     = "gue"
      port     = 6080
      checksum = "plain"
    }
  }
}

virtual_service "[2001:db8::100]:443" {
  address         = "2001:db8::100"
  port            = 443
  scheduler       = "mh"
  scheduler_flags = ["fallback"]
  forward         = "direct"
  check "none" {}
  real_server "2001:db8::11" {}
}

virtual_service "fwmark-8-ipv6" {
  firewall_mark = 8
  family        = "ipv6"
  scheduler     = "lc"
  forward       = "direct"
  check "none" {}
}
