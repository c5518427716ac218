virtual_service "web" {
  address = "10.13.0.200  # ERROR: Invalid multi-line string
  port = 80
}
