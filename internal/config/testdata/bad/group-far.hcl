virtual_router "outside" {
  interface = "eth0"
  id        = 51
  addresses = ["10.13.0.200/24"]
  multicast_group = "239.1.1.1" # WARNING: Group beyond the network
}
