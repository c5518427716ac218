virtual_service "web" {
  address = "10.13.0.200"
  port    = 80
  forward = "nat"
  on_failure = "quiescent"  # ERROR: Unknown on_failure "quiescent"
  real_server "192.168.1.5" { on_failure = "keep" }  # ERROR: Unknown on_failure "keep"
  real_server "192.168.1.4" {}
}
