virtual_service "web" {  # ERROR: Unclosed block
  address = "10.13.0.200"
  port    = 80
  forward = "nat"

virtual_service "mail" {
  address = "10.13.0.200"
  port    = 25
  forward = "nat"
  real_server "192.168.1.4" {}
}
