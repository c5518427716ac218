virtual_service "web" { # ERROR: Not UTF-8
  address = "café"
}
