virtual_router "outside" {
  interface = "eth0"
  id        = 51
  addresses = ["10.13.0.200/24"]
  multicast_group = "ff02::12" # ERROR: Wrong family
}
