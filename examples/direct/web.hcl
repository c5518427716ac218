# Weighted round robin with direct routing: the director sends each packet on to
# the server's MAC address, and the server answers the client itself. The servers
# must be on the same network as the directors.
#
# Each server needs the virtual address on lo, and must not answer ARP for it, which
# "lvsd realserver up", with these files, sees to, or by hand:
#   sysctl net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2
#   ip address add 193.144.50.250/32 dev lo scope host
# The Master answers ARP all the same: it has the address on eth0, too.
# The servers must use the service's port.

virtual_service "web" {
  address   = "193.144.50.250"
  port      = 80
  scheduler = "wrr"
  forward   = "direct"

  check "http" { path = "/" }

  # The directors themselves. Only the Master has this service in its table:
  # otherwise the two would forward packets to each other endlessly.
  real_server "193.144.50.251" { weight = 3 }
  real_server "193.144.50.252" { weight = 1 }
}
