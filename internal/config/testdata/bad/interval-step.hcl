virtual_router "outside" {
  interface = "eth0"
  id        = 51
  addresses = ["10.13.0.200/24"]
  advert_interval = "15ms"  # ERROR: Invalid advert_interval
}
