virtual_service "web" {
  address = "10.13.0.200"
  port    = 80
  forward = "nat"
  real_server "192.168.1.4" {
    upper_threshold = 10
    lower_threshold = 20  # ERROR: Thresholds reversed
  }
}
