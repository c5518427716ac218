virtual_router "outside" {
  interface = "eth0"
  id        = 51
  addresses = ["10.13.0.200/24"]
  source    = "2001:db8::15"  # ERROR: Wrong family
}
