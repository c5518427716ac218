virtual_service "web" {
  address = "10.13.0.200"
  port    = 80
  forward = "nat"
  real_server "192.168.1.4" { upper_threshold = 100 }
  real_server "192.168.1.5" {}
  fallback {
    address   = "10.13.0.15"
    when_full = true # WARNING: Option without effect
  }
}
