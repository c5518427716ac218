# Weighted round robin with NAT: of every seven connections, two servers get three
# each, and the director one, which it serves itself.
#
# Each server needs the gateway as its default route, and nothing else. "lvsd realserver
# up", with these files, sees to that on 192.168.1.4 and 192.168.1.5, or by hand:
#   ip route replace default via 192.168.1.254

virtual_service "web" {
  address   = "193.144.50.250"
  port      = 80
  scheduler = "wrr"
  forward   = "nat"

  check "http" { path = "/" }

  real_server "192.168.1.4" { weight = 3 }
  real_server "192.168.1.5" { weight = 3 }

  # A web server on the directors themselves. By the address that moves, it is always
  # that of the Master: a Backup's answers to clients would not pass through the Master.
  real_server "director" {
    address = "192.168.1.254"
    weight  = 1
  }
}
