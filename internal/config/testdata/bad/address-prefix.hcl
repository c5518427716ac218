virtual_router "outside" {
  interface = "eth0"
  id        = 51
  addresses = ["10.13.0.200/33"]  # ERROR: Invalid prefix length
}
