# Weighted round robin by direct routing: the director passes each packet on to
# the server's MAC address, and the server answers the client itself. Servers
# are on the directors' own network.
#
# Each server needs the virtual address on lo, and must not answer ARP for it:
#   ip address add 193.144.50.250/32 dev lo
#   sysctl net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2
# The port is always the service's.

virtual_service "web" {
  address   = "193.144.50.250"
  port      = 80
  scheduler = "wrr"
  forward   = "direct"

  check "http" { path = "/" }

  # The directors themselves. Only the Master has this service in its table, or
  # the two would send packets to and fro.
  real_server "193.144.50.251" { weight = 3 }
  real_server "193.144.50.252" { weight = 1 }
}
