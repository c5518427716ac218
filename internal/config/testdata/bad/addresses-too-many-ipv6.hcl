virtual_router "outside" {
  interface = "eth0"
  id        = 51
  addresses = concat(["fe80::1"], [for i in range(90) : cidrhost("2001:db8::/64", i + 1)])  # ERROR: Too many addresses
}
