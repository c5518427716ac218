virtual_service "web" {
  address = "10.13.0.200"
  port    = 80
  forward = "nat"
  real_server "10.13.0.200" {}  # WARNING: Server is the service itself
  real_server "local" {
    address = "10.13.0.200"
    port    = 8080
  }
}
