virtual_router "outside" {
  interface = null  # ERROR: Missing interface
  id        = 51
  addresses = ["10.13.0.200/24"]
}
