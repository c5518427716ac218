virtual_router "outside" {
  interface       = "eth0"
  id              = 51
  version         = 4  # ERROR: Invalid version
  advert_interval = "60s"
  addresses       = ["10.13.0.200/24"]
}

virtual_service "voice" {
  address    = "10.13.0.200"
  port       = 5060
  protocol   = "UDP"  # ERROR: Unknown protocol "UDP"
  one_packet = true
  scheduler  = "mhh"  # ERROR: Unknown scheduler "mhh"
  scheduler_flags = ["port"]
  forward    = "direct"
  persistence { engine = "sip" }
  check "ping" {
    interval = "10"  # ERROR: Missing unit
    timeout  = "5s"
  }
  real_server "192.168.1.4" {
    forward = "masqerade"  # ERROR: Unknown forward "masqerade"
    port    = 5061
  }
  real_server "192.168.1.5" {
    upper_threshold = -1  # ERROR: Invalid upper_threshold
    lower_threshold = 10
  }
}

virtual_service "marked" {
  firewall_mark = 8
  family        = "v6"  # ERROR: Unknown family "v6"
  forward       = "nat"
  real_server "2001:db8::4" {}
}
