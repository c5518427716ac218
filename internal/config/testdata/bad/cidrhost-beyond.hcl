virtual_router "outside" {
  interface = "eth0"
  id        = 51
  addresses = [cidrhost("10.13.0.0/24", 256)]  # ERROR: Error in function call
}
