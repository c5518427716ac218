# Addresses in all forms.
# the first
virtual_service "web-80" {
  addresses = ["192.0.2.10", "192.0.2.20-29", "192.0.2.64/28", "198.51.100.250-198.51.101.4", "10.0.0.0/8"]
  port      = 80
  scheduler = "rr"
  forward   = "tunnel"
  initial   = "up"
  check "tcp" {}
  real_server "10.0.0.11" {}
  real_server "10.0.0.12" {}
}

virtual_service "web-80-ipv6" {
  addresses = ["2001:db8::10-2001:db8::1f", "2001:db8::80/124"]
  port      = 80
  scheduler = "rr"
  forward   = "tunnel"
  initial   = "up"
  check "tcp" {}
  real_server "10.0.0.11" {}
  real_server "10.0.0.12" {}
}

virtual_service "web-192.0.2.10:443" {
  address   = "192.0.2.10"
  port      = 443
  scheduler = "rr"
  forward   = "tunnel"
  initial   = "up"
  check "tcp" { port = 80 }
  real_server "10.0.0.11" {}
  real_server "10.0.0.12" {}
}

virtual_service "web-fwmark-7" {
  firewall_mark = 7
  scheduler     = "rr"
  forward       = "tunnel"
  initial       = "up"
  check "tcp" { port = 80 }
  real_server "10.0.0.11" {}
  real_server "10.0.0.12" {}
}

virtual_service "web-fwmark-8" {
  firewall_mark = 8
  family        = "ipv6"
  scheduler     = "rr"
  forward       = "tunnel"
  initial       = "up"
  check "tcp" { port = 80 }
  real_server "10.0.0.11" {}
  real_server "10.0.0.12" {}
}

virtual_service "one-udp" {
  address    = "192.0.2.40"
  port       = 80
  protocol   = "udp"
  forward    = "nat"
  one_packet = true
  initial    = "up"
  check "ping" {}
  real_server "10.0.0.11" { port = 8080 }
}

defaults {
  check "*" {
    interval      = "1m"
    fast_interval = "1s"
    timeout       = "5s" # a silent server is down after 10s, keepalived's after 11s
    rise          = 1
    fall          = 2
  }
}
