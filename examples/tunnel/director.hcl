# The directors 193.144.50.251 (lvs1) and 193.144.50.252 (lvs2) share the
# virtual address 193.144.50.250. They are also the real servers.

virtual_router "outside" {
  interface = "eth0"
  id        = 50
  priority  = { lvs1 = 150, lvs2 = 100 }[node.name]
  addresses = ["193.144.50.250/24"]
}
