virtual_router "outside" {
  interface = "eth0"
  id        = 50
  addresses = ["10.13.0.200/24"]
  track "service" "web" {
    minimum = "0%"  # ERROR: Invalid minimum
    weight  = -20
  }
}
virtual_router "inside" {
  interface = "eth0"
  id        = 51
  addresses = ["10.13.0.201/24"]
  track "service" "mail" {
    minimum = "half"  # ERROR: Invalid minimum
    weight  = -20
  }
}
virtual_service "web" {
  address = "10.13.0.200"
  port    = 80
  forward = "nat"
  real_server "192.168.1.4" {}
}
virtual_service "mail" {
  address = "10.13.0.200"
  port    = 25
  forward = "nat"
  real_server "192.168.1.4" {}
}
