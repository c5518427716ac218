virtual_router "outside" {
  interface = "eth0"
  id        = 51
  addresses = ["10.13.0.200/24"]
  version         = 2
  advert_interval = "1500ms"  # ERROR: Invalid advert_interval
}
