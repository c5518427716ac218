virtual_service "web" {
  address = "10.13.0.200"
  port    = 80
  forward = "nat"
  real_server "192.168.1.4" {}
  real_server "compute-0-0" { address = "192.168.1.4" }  # ERROR: Duplicate real server 192.168.1.4:80
}
