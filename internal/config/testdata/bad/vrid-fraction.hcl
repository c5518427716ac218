virtual_router "outside" {
  interface = "eth0"
  id        = 1.5  # ERROR: Invalid id
  addresses = ["10.13.0.200/24"]
}
