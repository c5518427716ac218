# The fallback is one of the servers.
virtual_service "192.0.2.10:80" {
  address     = "192.0.2.10"
  port        = 80
  scheduler   = "lc"
  forward     = "direct"
  initial     = "up"
  min_healthy = "weight 2"
  check "tcp" {}
  real_server "10.0.0.11" {}
  real_server "10.0.0.12" {}
}

# The fallback is this director.
virtual_service "192.0.2.11:80" {
  address = "192.0.2.11"
  port    = 80
  forward = "direct"
  initial = "up"
  check "tcp" {}
  real_server "10.0.0.11" {}
  fallback { address = "127.0.0.1" }
}

virtual_service "192.0.2.12:80" {
  address = "192.0.2.12"
  port    = 80
  forward = "nat"
  initial = "up"
  check "tcp" {}
  real_server "10.0.0.11" {}

  fallback {
    address = "10.0.0.200"
    port    = 8080
  }
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
