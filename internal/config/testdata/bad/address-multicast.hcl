virtual_router "outside" {
  interface = "eth0"
  id        = 51
  addresses = ["224.0.0.18"]  # ERROR: Invalid address
}
