virtual_service "dns" {
  address    = "10.13.0.200"
  port       = 53
  protocol   = "udp"
  forward    = "nat"
  one_packet = true  # WARNING: One-packet scheduling with NAT
  real_server "192.168.1.4" {}
}
