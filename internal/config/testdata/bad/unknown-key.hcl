virtual_router "outside" {
  interface = "eth0"
  id        = 51
  addresses = ["10.13.0.200/24"]
  priority  = { lvs1 = 150, lvs2 = 100 }["lvs3"]  # ERROR: Unknown key "lvs3"
}
