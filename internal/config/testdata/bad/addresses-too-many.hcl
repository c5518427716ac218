virtual_router "outside" {
  interface = "eth0"
  id        = 51
  addresses = [for i in range(256) : cidrhost("10.13.0.0/16", i + 1)]  # ERROR: Too many addresses
}
