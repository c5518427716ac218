virtual_router "outside" {
  interface = "eth0"
  id        = 51
  addresses = ["10.13.0.200/24"]
  peers     = ["10.13.0.16"]
  multicast_group = "224.0.0.18" # ERROR: Unused multicast_group
}
