# What keepalived passes over, and what that does to the lines below.
virtual_service "192.0.2.80:443" {
  address = "192.0.2.80"
  port    = 443
  forward = "direct"
  initial = "up"
  persistence { timeout = "1m" }

  check "tcp" {
    interval      = "1m"
    fast_interval = "2s"
    timeout       = "5s" # a silent server is down after 10s, keepalived's after 12s
    rise          = 1
    fall          = 2
  }

  real_server "10.0.0.11" { weight = 4 }
}
