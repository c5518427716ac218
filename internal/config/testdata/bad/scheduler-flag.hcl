virtual_service "web" {
  address = "10.13.0.200"
  port    = 80
  forward = "nat"
  scheduler       = "sh"
  scheduler_flags = ["fallbak"]  # ERROR: Unknown flag of scheduler sh: "fallbak"
  real_server "192.168.1.4" {}
}
