# DNS over UDP, on the same servers. There is no check that connects by UDP:
# without a check block, the servers are pinged. Here, their TCP port is checked.

virtual_service "dns" {
  address    = "10.13.0.200"
  port       = 53
  protocol   = "udp"
  scheduler  = "rr"
  one_packet = true # schedule each query separately, whatever port it comes from
  forward    = "nat"

  check "tcp" {
    interval = "5s"
  }

  real_server "compute-0-0" { address = "192.168.1.4" }
  real_server "compute-0-1" { address = "192.168.1.5" }
}
