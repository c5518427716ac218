virtual_service "web" {
  address = "10.13.0.200"
  port    = 80
  forward = "nat"
  check "tcp" { # ERROR: Mixed families
    via { source = "2001:db8::11" }
  }
  check "http" {
    via {
      source        = "0.0.0.0"   # ERROR: Invalid address
      source_ports  = "9-1"       # ERROR: Invalid ports
      interface     = "eth 1"     # ERROR: Invalid interface
      firewall_mark = 0           # ERROR: Invalid firewall_mark
      ttl           = 256         # ERROR: Invalid ttl
      dscp          = 64          # ERROR: Invalid dscp
    }
  }
  check "tcp" {
    half_open = true # ERROR: Half-open conversation
    via { proxy_protocol = "v1" }
  }
  check "udp" {
    via { proxy_protocol = "v1" } # ERROR: Unknown argument "proxy_protocol"
  }
  check "https" {
    port = 443
    via { proxy_protocol = "2" } # ERROR: Unknown proxy_protocol "2"
  }
  check "ping" {
    via { source_ports = "1000" } # ERROR: Unknown argument "source_ports"
  }
  real_server "192.168.1.4" {}
  real_server "192.168.1.5" {}
}
