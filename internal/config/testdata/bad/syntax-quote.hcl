virtual_service "web" {
  address = "10.13.0.200  # ERROR: Missing quote
  port = 80
}
