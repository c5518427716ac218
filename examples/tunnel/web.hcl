# Weighted round robin by tunnelling: the director wraps each packet in another
# one, and the server answers the client itself. Servers may be anywhere.
#
# Each server needs the tunnel's end with the virtual address on it, must not
# answer ARP for that address, and must take packets from behind the tunnel:
#   modprobe ipip
#   ip link set tunl0 up
#   ip address add 193.144.50.250/32 dev tunl0
#   sysctl net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2
#   sysctl net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.tunl0.rp_filter=0
# The port is always the service's.

virtual_service "web" {
  address   = "193.144.50.250"
  port      = 80
  scheduler = "wrr"
  forward   = "tunnel"

  check "http" { path = "/" }

  # The directors themselves. Only the Master has this service in its table, or
  # the two would send packets to and fro.
  real_server "193.144.50.251" { weight = 3 }
  real_server "193.144.50.252" { weight = 1 }
}
