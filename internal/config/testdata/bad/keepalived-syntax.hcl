virtual_router "outside" {
  interface = "eth0"
  virtual_router_id 51  # ERROR: Unknown word "virtual_router_id"
  addresses = ["10.13.0.200/24"]
}

virtual_router "inside" {
  interface eth1  # ERROR: Missing equals sign
}

virtual_router "third" {
  priority 100  # ERROR: Missing equals sign
}

virtual_service "web" {
  address = "10.13.0.200"
  lb_algo wrr  # ERROR: Unknown word "lb_algo"
}

virtual_router "fourth" {
  virtual_ipaddress {  # ERROR: Unknown block "virtual_ipaddress"
    10.13.0.200/24 dev eth0  # ERROR: Address without quotes
  }
}
