virtual_router "outside" {
  interface = "eth0"
  id        = 51
  addresses = ["10.13.0.200/24"]
  route "10.9.0.0/16" { via = "10.13.0.1" }
}

static {
  address "192.168.1.7/24" {}  # ERROR: Missing interface
  address "192.168.1.8/24" { interface = "eth1" }
  address "192.168.1.8/32" { interface = "eth1" }  # ERROR: Duplicate static address 192.168.1.8
  address "224.0.0.1" { interface = "eth1" }  # ERROR: Invalid address
  address "192.168.1.9/24" {
    interface = "eth1"
    preferred = true  # ERROR: Unknown argument "preferred"
  }
  route "10.9.0.0/16" { via = "192.168.1.1" }  # ERROR: Duplicate route 10.9.0.0/16
  route "10.10.0.0/16" {}  # ERROR: No next hop
}
