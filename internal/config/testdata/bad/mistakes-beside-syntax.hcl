virtual_router "outside" {
  interface = "eth0"
  id        = 51
  priority  = 100
  priority  = 150  # ERROR: Duplicate argument
  version   = 4  # ERROR: Invalid version
  addresses = ["10.13.0.200/24"
  ]
}

virtual_service "web" {
  address   = "10.13.0.200"
  port      = 8O  # ERROR: Invalid number
  forward   = "nat  # ERROR: Missing quote
  scheduler = "wlcc"  # ERROR: Unknown scheduler "wlcc"
  real_server 192.168.1.4 {  # ERROR: Address without quotes
    weight = "x"  # (a part of a block whose head is unknown)
  }
  real_server "192.168.1.5" {
    weigth = 3  # ERROR: Unknown argument "weigth"
  }
}
