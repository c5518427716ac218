virtual_service "web" {
  address = "10.13.0.200"
  port    = 80
  forward = "nat"
  check "http" { address = "db.example.org" } # ERROR: Invalid address
  check "http" { # ERROR: Mixed families
    address = "2001:db8::7"
    via { source = "10.13.0.15" }
  }
  check "http" { address = "10.13.0.200" } # WARNING: Check of the service itself
  check "http" {
    address = "10.13.0.200"
    port    = 81
  }
  check "tcp" { address = "0.0.0.0" }     # ERROR: Invalid address
  check "file" {
    path    = "/run/weight"
    address = "192.168.1.9" # ERROR: Unused address
  }
  real_server "192.168.1.4" {}
  real_server "192.168.1.5" {}
}
