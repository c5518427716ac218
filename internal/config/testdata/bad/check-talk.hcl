virtual_service "web" {
  address = "10.13.0.200"
  port    = 6379
  forward = "nat"
  check "tcp" {
    half_open = true # ERROR: Half-open conversation
    send      = ""   # ERROR: Invalid send
    quit      = "hex:0d0" # ERROR: Invalid quit
    expect {
      text    = "PONG"
      pattern = "PONG" # ERROR: Text and pattern
    }
  }
  check "tcp" {
    expect {} # ERROR: Nothing expected
  }
  check "tcp" {
    send = "hex:" # ERROR: Invalid send
    expect {
      pattern = "(" # ERROR: Invalid pattern
      not     = ""  # ERROR: Empty not
    }
  }
  check "udp" {
    reply = false # ERROR: Answer not required
    expect {
      text = "hex:00 ff"
    }
    tls {} # ERROR: Unused tls block
  }
  real_server "192.168.1.4" {}
}
