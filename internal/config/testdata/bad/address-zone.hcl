virtual_router "outside" {
  interface = "eth0"
  id        = 51
  addresses = ["fe80::1%eth0"]  # ERROR: Invalid address
}
