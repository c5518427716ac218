# Virtual services with several addresses, protocols and ports.
director {
  marks = "0x100-65535"
}

virtual_router "outside" {
  interface = "eth0"
  id        = 51
  priority  = 100
  addresses = ["10.13.0.200", "10.13.0.201", "10.13.0.202", "10.13.0.203", "10.13.0.204", "10.13.0.205", "10.13.0.206", "10.13.0.207"]
}

# Three of the kernel's, with checks that are shared.
virtual_service "plain" {
  address = "10.13.0.200"
  ports   = [80, "8080-8081"]
  forward = "nat"
  real_server "192.168.1.4" {}
  real_server "192.168.1.5" { port = 8080 }
}

# One by a firewall mark, since a client is to stay on its server at both ports.
virtual_service "persistent" {
  address = "10.13.0.201"
  ports   = ["443", "80"]
  forward = "direct"
  persistence {}
  real_server "192.168.1.4" {}
  real_server "192.168.1.5" {}
}

# One, since they would be too many.
virtual_service "rtp" {
  addresses = ["10.13.0.202", "10.13.0.203"]
  protocol  = "udp"
  ports     = ["16384-32767"]
  forward   = "direct"
  check "none" {}
  real_server "192.168.1.4" {}
}

# One-arm NAT of one address and port, which the kernel knows by these.
virtual_service "one-arm" {
  address    = "10.13.0.204"
  port       = 80
  forward    = "nat"
  source_nat = "masquerade"
  real_server "10.13.0.4" {}
}

virtual_service "six" {
  addresses  = ["2001:db8::200-2001:db8::20f", "2001:db8::300/124"]
  ports      = [53]
  protocols  = ["udp", "tcp"]
  marked     = true
  source_nat = "2001:db8::15"
  forward    = "nat"
  check "tcp" {}
  real_server "2001:db8:1::4" { port = 5353 }
}

virtual_service "every-port" {
  address   = "10.13.0.205"
  port      = 0
  protocols = ["tcp", "udp"]
  forward   = "nat"
  persistence {}
  check "ping" {}
  real_server "192.168.1.4" {}
}

virtual_service "separate" {
  addresses = ["10.13.0.206-207"]
  port      = 80
  marked    = false
  forward   = "nat"
  real_server "192.168.1.4" {}
  fallback { address = "192.168.1.9" }
}
