virtual_router "outside" {
  interface = "eth0"
  id        = 51
  addresses = []
  version   = 2 # ERROR: Invalid version
  peers     = ["fe80::16"]
  extra_address "10.13.0.200/24" {}
}
