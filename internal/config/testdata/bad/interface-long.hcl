virtual_router "outside" {
  interface = "a-name-of-16-byte"  # ERROR: Invalid interface
  id        = 51
  addresses = ["10.13.0.200/24"]
}
