virtual_service "192.0.2.10:53" {
  address = "192.0.2.10"
  port    = 53
  forward = "nat"
  initial = "up"
  check "tcp" {}
  real_server "10.0.0.11" {}
}

virtual_service "192.0.2.10:53-udp" {
  address  = "192.0.2.10"
  port     = 53
  protocol = "udp"
  forward  = "nat"
  initial  = "up"
  check "ping" {}
  real_server "10.0.0.11" {}
}

virtual_service "mail" {
  address = "192.0.2.10"
  port    = 25
  forward = "nat"
  initial = "up"
  check "tcp" {}

  # The one in the cellar.
  # old
  real_server "10.0.0.11" {}
}

# The second one.
virtual_service "mail-2" {
  address = "192.0.2.11"
  port    = 25
  forward = "nat"
  initial = "up"
  check "tcp" {}
  real_server "10.0.0.11" {}
}

virtual_service "dns" {
  addresses = ["192.0.2.30", "192.0.2.31"]
  port      = 53
  forward   = "direct"
  initial   = "up"
  check "tcp" {}
  real_server "10.0.0.11" {}
}

virtual_service "dns-udp" {
  addresses = ["192.0.2.30", "192.0.2.31"]
  port      = 53
  protocol  = "udp"
  forward   = "direct"
  initial   = "up"
  check "ping" {}
  real_server "10.0.0.11" {}
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
