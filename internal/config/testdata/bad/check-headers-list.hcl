virtual_service "web" {
  address = "10.13.0.200"
  port    = 80
  forward = "nat"
  check "http" {
    headers = { X = ["a"] }  # ERROR: Wrong type for headers
  }
  real_server "192.168.1.4" {}
}
