virtual_service "192.0.2.10:80-udp" {
  address    = "192.0.2.10"
  port       = 80
  protocol   = "udp" # keepalived's, where there is no protocol
  forward    = "nat" # keepalived's, where there is no lvs_method
  one_packet = true
  initial    = "up"

  check "tcp" {
    interval      = "1m"
    fast_interval = "1s"
    timeout       = "5s" # a silent server is down after 10s, keepalived's after 11s
    rise          = 1
    fall          = 2
  }

  real_server "10.0.0.11" {}
}
