virtual_service "web" {
  address = "10.13.0.200"
  port    = 80
  forward = "nat"
  check "tcp" {}
  check "agent" { send = "" }  # ERROR: Invalid send # ERROR: Missing port
  real_server "192.168.1.4" {}
}
virtual_service "lonely" {
  address = "10.13.0.200"
  port    = 81
  forward = "nat"
  check "agent" { port = 5555 }  # WARNING: Agent alone
  real_server "192.168.1.4" {}
}
virtual_service "required" {
  address = "10.13.0.200"
  port    = 82
  forward = "nat"
  check "agent" {
    port     = 5555
    required = true
  }
  real_server "192.168.1.4" {}
}
