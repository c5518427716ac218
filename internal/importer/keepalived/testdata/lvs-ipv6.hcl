virtual_service "six" {
  address = "2001:db8::10"
  port    = 80
  forward = "direct"
  initial = "up"

  persistence {
    timeout = "10m"
    netmask = "64"
  }

  real_server "2001:db8:1::11" {
    check "tcp" {
      interval      = "1m"
      fast_interval = "1s"
      timeout       = "2s" # a silent server is down after 4s, keepalived's after 5s
      rise          = 1
      fall          = 2
    }
  }

  real_server "2001:db8:1::12" {
    check "tcp" {
      interval      = "1m"
      fast_interval = "1s"
      timeout       = "2s" # a silent server is down after 4s, keepalived's after 5s
      rise          = 1
      fall          = 2
      port          = 8080
    }
  }

  fallback { address = "::1" }
}

virtual_service "[2001:db8::10]:443-sctp" {
  address  = "2001:db8::10"
  port     = 443
  protocol = "sctp"
  forward  = "tunnel"
  initial  = "up"
  check "none" {}
  real_server "10.0.0.11" { weight = 5 }
}
