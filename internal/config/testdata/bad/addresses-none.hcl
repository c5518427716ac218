virtual_router "outside" {
  interface = "eth0"
  id        = 51
  addresses = []  # ERROR: No address
}
