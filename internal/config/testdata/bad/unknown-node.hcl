virtual_router "outside" {
  interface = "eth0"
  id        = 51
  addresses = ["10.13.0.200/24"]
  priority  = { lvs7 = 150, lvs8 = 100 }[node.name]  # ERROR: Unknown node "lvs1"
}
