director {
  ipvs { conntrack = false }
}

virtual_service "web" { # ERROR: Source NAT without connection tracking
  address    = "10.13.0.200"
  ports      = ["80-89"]
  marked     = true
  source_nat = "masquerade"
  forward    = "nat"
  real_server "192.168.1.4" {}
}

virtual_service "overlapping" { # ERROR: Overlapping virtual services # ERROR: Overlapping virtual services
  addresses = ["10.13.0.199-10.13.0.201"]
  ports     = [85, 443]
  marked    = true
  forward   = "nat"
  real_server "192.168.1.4" {}
}

virtual_service "plain" {
  address = "10.13.0.200"
  port    = 443
  forward = "nat"
  real_server "192.168.1.4" {}
}

virtual_service "mine" {
  firewall_mark = 1819738113 # ERROR: Reserved firewall mark
  forward       = "nat"
  check "ping" {}
  real_server "192.168.1.4" {}
}
