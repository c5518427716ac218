virtual_router "outside" {
  interface = "eth0"
  id        = 51
  addresses = ["2001:db8::200/64"]  # WARNING: No link-local address
}
