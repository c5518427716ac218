# The shop's pages, as in many a manual.
virtual_service "192.0.2.10:80" {
  address   = "192.0.2.10"
  port      = 80
  scheduler = "wrr"
  forward   = "nat"
  initial   = "up"
  persistence { timeout = "50s" }

  check "tcp" {
    interval      = "6s"
    fast_interval = "3s"
    timeout       = "5250ms" # connect_timeout 3s, and pauses: a silent server is down after 21s
    rise          = 1
    fall          = 4
  }

  real_server "10.0.0.11" { weight = 3 }
  real_server "10.0.0.12" {}
  fallback { address = "10.0.0.200" }
}
