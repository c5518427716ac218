virtual_router "outside" {
  interface = "eth0"
  id        = 51
  addresses = ["10.13.0.200"]
  preempt   = false
  track "service" "web" { weight = -20 }  # ERROR: Condition about a suspended service
}

virtual_service "web" {
  address    = "10.13.0.200"
  port       = 80
  forward    = "nat"
  ha_suspend = true
  real_server "192.168.1.4" {}
}

virtual_service "fixed" {
  address    = "127.0.0.2"  # WARNING: Loopback address
  port       = 81
  forward    = "direct"
  ha_suspend = true  # WARNING: Option without effect
  real_server "192.168.1.4" {}
}
