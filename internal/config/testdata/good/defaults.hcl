# The shortest useful file: everything else has a default.
virtual_router "outside" {
  interface = "eth0"
  id        = 51
  addresses = ["10.13.0.200/24"]
}

virtual_service "web" {
  address = "10.13.0.200"
  port    = 80
  forward = "nat"
  real_server "192.168.1.4" {}
  real_server "192.168.2.2" { weight = 3 }
}

virtual_service "dns" {
  address  = "10.13.0.200"
  port     = 53
  protocol = "udp"
  forward  = "direct"
  real_server "192.168.1.4" {}
}
