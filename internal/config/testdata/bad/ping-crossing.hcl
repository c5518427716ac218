virtual_router "outside" {
  interface = "eth0"
  id        = 50
  addresses = ["10.13.0.200/24"]
  peers = ["10.13.0.16"]
  track "ping" "peer" {  # WARNING: Both directors would stand back
    addresses = ["10.13.0.1", "10.13.0.16"]
    minimum   = 2
  }
  track "ping" "virtual" { addresses = ["10.13.0.200"] }  # WARNING: Virtual address
  track "ping" "weighed" {
    addresses = ["10.13.0.16"]
    weight    = -20
  }
  track "ping" "enough" { addresses = ["10.13.0.1", "10.13.0.16"] }
  track "ping" "alone" {  # WARNING: Both directors would stand back
    addresses = ["10.13.0.16"]
    reverse   = true
  }
  track "ping" "both" {
    addresses = ["10.13.0.1", "10.13.0.16"]
    minimum   = 2
    reverse   = true
  }
  track "service" "web" {}  # WARNING: Both directors would stand back
}
virtual_service "web" {
  address = "10.13.0.200"
  port    = 80
  forward = "nat"
  real_server "192.168.1.4" {}
}
