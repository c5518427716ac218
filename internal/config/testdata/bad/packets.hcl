virtual_service "both" {
  address   = "10.13.0.200" # ERROR: Unused address
  addresses = ["10.13.0.200"]
  port      = 80 # ERROR: Unused port
  ports     = [80]
  protocol  = "tcp" # ERROR: Unused protocol
  protocols = ["tcp"]
  forward   = "nat"
  real_server "192.168.1.4" {}
}

virtual_service "lists" {
  addresses = ["10.13.0.200-10.13.0.100", "10.13.0.1/24", "10.13.0.300", "0.0.0.0"] # ERROR: Range reversed # ERROR: Address within a network # ERROR: Invalid address # ERROR: Invalid address
  ports     = ["http", "90-80", 0, "65536"] # ERROR: Invalid port # ERROR: Invalid port # ERROR: Invalid port # ERROR: Invalid port
  protocols = ["tcp", "icmp"] # ERROR: Unknown protocol "icmp"
  forward   = "nat"
  real_server "192.168.1.4" {}
}

virtual_service "mixed" {
  addresses = ["10.13.0.201", "2001:db8::201"] # ERROR: Mixed families
  port      = 80
  forward   = "nat"
  real_server "192.168.1.4" {}
}

virtual_service "nothing" {
  address   = "10.13.0.202"
  ports     = [] # ERROR: Empty list
  forward   = "nat"
  real_server "192.168.1.4" {}
}

virtual_service "too-many" {
  address = "10.13.0.203"
  ports   = ["1000-1999"]
  marked  = false # ERROR: Too many services
  forward = "nat"
  real_server "192.168.1.4" {}
}

virtual_service "without-port" { # ERROR: Missing port
  addresses = ["10.13.0.203"]
  marked    = true
  forward   = "nat"
  real_server "192.168.1.4" {}
}

virtual_service "port-0" {
  address   = "10.13.0.204"
  port      = 0 # ERROR: Port 0 without persistence
  protocols = ["tcp", "udp"]
  forward   = "nat"
  check "ping" {}
  real_server "192.168.1.4" {}
}

virtual_service "one-packet" {
  address    = "10.13.0.205"
  port       = 53
  protocols  = ["tcp", "udp"]
  one_packet = true # ERROR: One-packet scheduling without UDP
  forward    = "nat"
  real_server "192.168.1.4" {}
}

virtual_service "translated" {
  address = "10.13.0.206"
  ports   = [80, 443]
  forward = "direct"
  real_server "192.168.1.4" { port = 80 } # ERROR: Untranslatable port
}

virtual_service "direct" {
  address    = "10.13.0.207"
  port       = 80
  forward    = "direct"
  source_nat = "masquerade" # ERROR: Source NAT without NAT
  real_server "192.168.1.4" {}
}

virtual_service "family" {
  address    = "10.13.0.208"
  port       = 80
  forward    = "nat"
  source_nat = "2001:db8::15" # ERROR: Wrong family
  real_server "192.168.1.4" {}
}

virtual_service "loopback" {
  address    = "10.13.0.209"
  port       = 80
  forward    = "nat"
  source_nat = "127.0.0.1" # ERROR: Loopback address
  real_server "192.168.1.4" {}
}

virtual_service "mark" {
  firewall_mark = 7
  source_nat    = "masquerade" # ERROR: Unused source_nat
  ports         = [80] # ERROR: Unused ports
  forward       = "nat"
  real_server "192.168.1.4" {}
}
