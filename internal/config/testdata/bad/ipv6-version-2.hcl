virtual_router "outside" {
  interface = "eth0"
  id        = 51
  addresses = ["fe80::200/64"]
  version   = 2  # ERROR: Invalid version
}
