virtual_service "dns" {
  address  = "10.13.0.200"
  port     = 53
  protocol = "udp"
  forward  = "nat"
  check "http" {}  # WARNING: Check by TCP
  check "tcp" {}
  check "http" { port = 8053 }
  real_server "192.168.1.4" {}
  real_server "192.168.1.5" {}
}
virtual_service "http3" {
  address  = "10.13.0.200"
  port     = 443
  protocol = "udp"
  forward  = "nat"
  check "https" {}
  real_server "192.168.1.4" {}
}
