virtual_service "web" {
  address = "10.13.0.200"
  port    = 80
  forward = "nat"
  persistence = "300s"  # ERROR: Unknown argument "persistence"
  real_server "192.168.1.4" {}
}
