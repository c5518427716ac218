virtual_router "outside" {
  interface = "eth0"
  id        = 51
  addresses = ["127.0.0.1/8"]  # ERROR: Invalid address
}
