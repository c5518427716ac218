virtual_service "192.0.2.10:5060-udp" {
  address    = "192.0.2.10"
  port       = 5060
  protocol   = "udp"
  scheduler  = "rr"
  forward    = "nat"
  one_packet = true
  initial    = "up"

  persistence {
    netmask = "255.255.0.0"
    engine  = "sip"
  }

  check "udp" {
    interval      = "1m"
    fast_interval = "1s"
    timeout       = "5s" # a silent server is down after 10s, keepalived's after 11s
    rise          = 1
    fall          = 2
    send          = "hex:4f5054494f4e53"
    reply         = true
  }

  real_server "10.0.0.11" {}

  real_server "10.0.0.11:5061" {
    address = "10.0.0.11"
    port    = 5061
  }
}
