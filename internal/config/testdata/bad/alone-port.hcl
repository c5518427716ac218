virtual_service "web" {
  address = "10.13.0.201"
  port    = 99999  # ERROR: Invalid port
  forward = "direct"
  check "tcp" {}
  real_server "192.168.1.4" {}
  real_server "192.168.1.5" { port = 80 }
}

virtual_service "tls" {
  address = "10.13.0.202"
  port    = "https"  # ERROR: Wrong type for port
  forward = "nat"
  check "https" {}
  real_server "192.168.1.4" {}
  real_server "192.168.1.5" { port = 8443 }
}

virtual_service "none" {  # ERROR: Missing port
  address = "10.13.0.203"
  forward = "nat"
  check "tcp" {}
  real_server "192.168.1.4" {}
}

virtual_service "marked" {
  firewall_mark = 7
  forward       = "nat"
  real_server "192.168.1.4" {
    check "tcp" { port = "http" }  # ERROR: Wrong type for port
  }
  real_server "192.168.1.5" {
    port = 0  # ERROR: Invalid port
    check "tcp" {}
  }
  real_server "192.168.1.5" {
    port = 65536  # ERROR: Invalid port
    check "tcp" {}
  }
}
