virtual_service "fwmark-7" {
  firewall_mark   = 7
  scheduler       = "sh"
  scheduler_flags = ["port", "fallback"]
  forward         = "direct"
  initial         = "up"

  real_server "10.0.0.11" {
    check "tcp" {
      interval      = "2500ms"
      fast_interval = "1s"
      timeout       = "5s" # a silent server is down after 10s, keepalived's after 11s
      rise          = 1
      fall          = 2
      port          = 80
    }
  }

  real_server "10.0.0.12" {
    check "tcp" {
      interval      = "2500ms"
      fast_interval = "1s"
      timeout       = "5s" # a silent server is down after 10s, keepalived's after 11s
      rise          = 1
      fall          = 2
      port          = 81
    }
  }
}

virtual_service "fwmark-8" {
  firewall_mark   = 8
  family          = "ipv6"
  scheduler       = "mh"
  scheduler_flags = ["fallback", "port"]
  forward         = "nat"
  initial         = "up"

  persistence {
    timeout = "6m"
    netmask = "64"
  }

  check "exec" {
    interval = "1m"
    timeout  = "1m"
    rise     = 1
    fall     = 1
    run      = ["/usr/local/bin/check"]
  }

  real_server "2001:db8::11" { port = 80 }
}

virtual_service "fwmark-9" {
  firewall_mark   = 9
  scheduler_flags = ["flag-2"]
  forward         = "nat"
  one_packet      = true
  initial         = "up"

  persistence {
    timeout = "6m" # keepalived's, where there is no persistence_timeout
    netmask = "255.255.255.0"
  }

  check "none" {}
  real_server "10.0.0.11" {}
}
