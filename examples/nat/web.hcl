# Weighted round robin with NAT: of every seven connections, the first two
# servers get three each, and the last one gets one.
#
# Each server needs the gateway as its default route:
#   ip route replace default via 192.168.1.254

virtual_service "web" {
  address   = "193.144.50.250"
  port      = 80
  scheduler = "wrr"
  forward   = "nat"

  check "http" { path = "/" }

  real_server "192.168.1.4" { weight = 3 }
  real_server "192.168.1.5" { weight = 3 }
  real_server "192.168.1.6" { weight = 1 }
}
