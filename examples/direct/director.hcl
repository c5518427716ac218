# The directors lvs1 (193.144.50.251) and lvs2 (193.144.50.252) share the virtual
# address 193.144.50.250. They are also the real servers: two machines are the whole
# cluster. Both have these files in /etc/lvsd.

virtual_router "outside" {
  interface = "eth0"
  id        = 50
  priority  = { lvs1 = 150, lvs2 = 100 }[node.name] # lvs1 is Master whenever it runs
  addresses = ["193.144.50.250/24"]
}
