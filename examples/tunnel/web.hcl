# Weighted round robin with tunnelling: the director encapsulates each packet in
# another one, and the server answers the client itself. The servers may be on
# any network.
#
# Each server needs a tunnel interface that has the virtual address. It must not
# answer ARP for that address, and must accept packets that arrive through the
# tunnel. "lvsd realserver up", with these files, sees to that, or by hand:
#   modprobe ipip
#   ip link set tunl0 up
#   sysctl net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2
#   sysctl net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.tunl0.rp_filter=0
#   ip address add 193.144.50.250/32 dev tunl0 scope host
# The servers must use the service's port.

virtual_service "web" {
  address   = "193.144.50.250"
  port      = 80
  scheduler = "wrr"
  forward   = "tunnel"

  check "http" { path = "/" }

  # The directors themselves. Only the Master has this service in its table:
  # otherwise the two would forward packets to each other endlessly.
  real_server "193.144.50.251" { weight = 3 }
  real_server "193.144.50.252" { weight = 1 }
}
