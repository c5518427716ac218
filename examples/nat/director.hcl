# The directors lvs1 (193.144.50.251) and lvs2 (193.144.50.252) share the virtual
# address 193.144.50.250. The servers are behind them, on the inside network
# 192.168.1.0/24, which the directors reach by eth1.
#
# Both directors have these files in /etc/lvsd, and both need:
#   sysctl net.ipv4.ip_forward=1       # NAT forwards packets

virtual_router "outside" {
  interface = "eth0"
  id        = 50
  priority  = { lvs1 = 150, lvs2 = 100 }[node.name] # lvs1 is Master whenever it runs
  addresses = ["193.144.50.250/24"]

  # The servers' gateway moves together with the virtual address, and both do when
  # the link to the servers fails.
  extra_address "192.168.1.254/24" { interface = "eth1" }
}
