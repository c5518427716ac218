virtual_router "outside" {
  interface = "eth0"
  id        = 51
  addresses = ["10.13.0.200/24"]
  multicast_group = "10.13.0.18" # ERROR: Invalid multicast_group
}
