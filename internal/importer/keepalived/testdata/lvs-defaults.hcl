# Everything that can be left out is.
virtual_service "192.0.2.10:53-udp" {
  address  = "192.0.2.10"
  port     = 53
  protocol = "udp" # keepalived's, where there is no protocol
  forward  = "nat" # keepalived's, where there is no lvs_method
  initial  = "up"

  real_server "10.0.0.11" {
    check "none" {}
  }

  real_server "10.0.0.12" {
    check "dns" {
      interval      = "1m"
      fast_interval = "1m"
      timeout       = "5s" # a silent server is down after 185s, keepalived's after 200s
      rise          = 1
      fall          = 4
    }
  }
}

virtual_service "192.0.2.11" {
  address = "192.0.2.11"
  port    = 0
  forward = "nat" # keepalived's, where there is no lvs_method
  initial = "up"
  persistence { timeout = "6m" } # keepalived's, where there is no persistence_timeout

  check "ping" {
    interval      = "1m"
    fast_interval = "1s"
    timeout       = "5s" # a silent server is down after 10s, keepalived's after 11s
    rise          = 1
    fall          = 2
  }

  real_server "10.0.0.11" {}
}
