# DNS over UDP, on the same servers, which are asked for a name that they know.
#
# A client's queries from one port go to one server for as long as udp_timeout of
# director.hcl; resolvers use another port for each. Without that, one_packet schedules
# each query by itself, with direct routing or tunnelling: with NAT, the answers would
# come from the servers' own addresses.

virtual_service "dns" {
  address   = "10.13.0.200"
  port      = 53
  protocol  = "udp"
  scheduler = "rr"
  forward   = "nat"

  check "dns" {
    name     = "example.org"
    interval = "5s"
  }

  real_server "compute-0-0" { address = "192.168.1.4" }
  real_server "compute-0-1" { address = "192.168.1.5" }
}
