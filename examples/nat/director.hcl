# The directors 193.144.50.251 (lvs1) and 193.144.50.252 (lvs2) share the
# virtual address 193.144.50.250. The servers are on the inside network
# 192.168.1.0/24, on eth1.
#
# Both directors need: sysctl net.ipv4.ip_forward=1

virtual_router "outside" {
  interface = "eth0"
  id        = 50
  priority  = { lvs1 = 150, lvs2 = 100 }[node.name]
  addresses = ["193.144.50.250/24"]

  # The servers' gateway moves together with the virtual address, and both do when
  # the link to the servers fails.
  extra_address "192.168.1.254/24" { interface = "eth1" }
}
