virtual_service "rewritten" {
  address = "10.13.0.200"
  port    = 80
  forward = "nat"
  check "tcp" { # ERROR: Forwarded check with NAT
    via { forwarded = true }
  }
  real_server "192.168.1.4" {}
  real_server "192.168.1.5" {}
}

virtual_service "marked" {
  firewall_mark = 7
  forward       = "direct"
  check "tcp" { # ERROR: Forwarded check of a firewall mark
    port = 80
    via { forwarded = true }
  }
  real_server "192.168.1.4" {}
}

virtual_service "reserved" {
  firewall_mark = 1819672576 # ERROR: Reserved firewall mark
  forward       = "direct"
  check "tcp" {
    port = 80
    via { firewall_mark = 1819738111 } # ERROR: Reserved firewall mark
  }
  real_server "192.168.1.4" {}
}

virtual_service "direct" {
  address = "10.13.0.200"
  port    = 81
  forward = "direct"
  check "tcp" {
    via {
      forwarded     = true
      firewall_mark = 3 # ERROR: Path that is given
    }
  }
  check "http" {
    via {
      forwarded = true
      interface = "eth1" # ERROR: Path that is given
    }
  }
  check "tcp" {
    half_open = true # ERROR: Half-open conversation
    via { forwarded = true }
  }
  check "tcp" {
    address = "192.168.1.9"
    via { forwarded = true } # ERROR: Forwarded check of another address
  }
  check "udp" { # ERROR: Silence that passes
    via { forwarded = true }
  }
  check "ping" {
    via { forwarded = true } # ERROR: Unknown argument "forwarded"
  }
  check "https" { # ERROR: Mixed families
    via {
      forwarded = true
      source    = "2001:db8::11"
    }
  }
  real_server "192.168.1.4" {}
}

virtual_service "six" {
  address = "2001:db8::200"
  port    = 80
  forward = "tunnel"
  check "tcp" { # ERROR: Mixed families
    via { forwarded = true }
  }
  real_server "192.168.1.4" {}
}

virtual_service "many" { # WARNING: Many forwarded checks
  address = "10.13.0.200"
  port    = 82
  forward = "direct"
  check "tcp" {
    interval = "10ms"
    via { forwarded = true }
  }
  real_server "192.168.1.4" {}
  real_server "192.168.1.5" {}
}
