virtual_router "outside" {
  interface = "eth0"
  id        = 51
  addresses = [
    "10.13.0.200/24",
    "2001:db8::200/64",  # ERROR: Mixed families
  ]
}
