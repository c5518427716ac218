virtual_service "web" {
  address = "10.13.0.200"
  port    = 80
  forward = "nat"
  dynamic "real_server" {
    for_each = 3  # ERROR: Invalid for_each
    labels   = ["192.168.1.${real_server.value}"]
    content {}
  }
}
