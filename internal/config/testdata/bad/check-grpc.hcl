virtual_service "web" {
  address = "10.13.0.200"
  port    = 80
  forward = "nat"
  check "grpc" {
    service = "" # ERROR: Empty service
    host    = "a/b" # ERROR: Invalid host
    path    = "/" # ERROR: Unused path
  }
  check "grpc" {
    service = "a\nb" # ERROR: Invalid service
  }
  real_server "192.168.1.4" {}
}
