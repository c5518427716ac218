director {
  connection_sync {
    router    = "outsid" # ERROR: Unknown virtual_router "outsid"
    interface = "eth1"
  }
}

virtual_router "outside" {
  interface = "eth0"
  id        = 51
  priority  = 100
  addresses = ["10.13.0.200/24"]
}

virtual_service "web" { # ERROR: Connections that cannot be told of
  address = "10.13.0.200"
  port    = 80
  forward = "tunnel"
  real_server "2001:db8::4" {}
}
