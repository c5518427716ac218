virtual_service "web" {
  address = "10.13.0.200"
  port    = 80
  forward = "nat"
  on "master" { # ERROR: Unknown state "master"
    run = ["/etc/lvsd/hooks/notify"]
  }
  on "quorum_reached" {
    run     = ["/etc/lvsd/hooks/notify"]
    at_stop = true # ERROR: Invalid at_stop
  }
  on "up" {} # ERROR: Missing run
  real_server "192.168.1.4" {
    on "quorum_lost" { # ERROR: Unknown state "quorum_lost"
      run = ["notify"] # ERROR: Not an absolute path
    }
  }
}
virtual_router "outside" {
  interface = "eth0"
  id        = 51
  addresses = ["10.13.0.200/24"]
}
