virtual_service "web" {
  address = "10.13.0.200"
  port    = 80
  forward = "nat"
  real_server "192.168.1.4" { upper_threshold = 100 }
  fallback {
    address   = "10.13.0.15"
    when_full = true # ERROR: Fallback for full servers
  }
  fallback { address = "10.13.0.15" } # ERROR: Duplicate real server 10.13.0.15:80
}
virtual_service "mail" {
  address = "10.13.0.200"
  port    = 25
  forward = "nat"
  real_server "192.168.1.4" { upper_threshold = 100 }
  fallback {
    address   = "10.13.0.15"
    when_full = true # ERROR: Fallback for full servers
    check "tcp" { path = "/" } # ERROR: Unused path
  }
}
