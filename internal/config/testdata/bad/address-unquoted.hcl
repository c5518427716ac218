virtual_service "web" {
  address = 10.13.0.200  # ERROR: Address without quotes
}

virtual_router "outside" {
  interface = "eth0"
  addresses = [10.13.0.201/24]  # ERROR: Address without quotes
}

virtual_service "web6" {
  address = 2001:db8::1  # ERROR: Address without quotes
}

virtual_service "link" {
  address = fe80::1  # ERROR: Address without quotes
}

virtual_router "inside" {
  interface = "eth1"
  addresses = [
    10.13.0.201/24,  # ERROR: Address without quotes
  ]
}

virtual_service "local" {
  address = ::1  # ERROR: Address without quotes
}

virtual_service "servers" {
  real_server 192.168.1.4 {  # ERROR: Address without quotes
  }
}
