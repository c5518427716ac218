director {
  start_delay = 10  # ERROR: Missing unit
}

virtual_router "outside" {
  interface = "eth0"
  id        = 0  # ERROR: Invalid id
  priority  = { lvs2 = 100 }[node.name]  # ERROR: Unknown node "lvs1"
  addresses = ["10.13.0.200/24"]
}

virtual_service "web" {
  address   = "10.13.0.200"
  port      = 80
  scheduler = "wlcc"  # ERROR: Unknown scheduler "wlcc"
  forward   = "nat"
  real_server "192.168.1.4" { weigth = 3 }  # ERROR: Unknown argument "weigth"
  real_server "192.168.1.300" {}  # ERROR: Invalid address
}
