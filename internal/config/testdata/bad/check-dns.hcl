virtual_service "dns" {
  address  = "10.13.0.200"
  port     = 53
  protocol = "udp"
  forward  = "nat"
  check "dns" {
    name      = "www..example.org" # ERROR: Invalid name
    type      = "ANY"              # ERROR: Unknown type "ANY"
    transport = "tls"              # ERROR: Unknown transport "tls"
  }
  check "dns" {
    type = "A"
    expect {
      code    = "OK" # ERROR: Unknown code "OK"
      answers = ["192.0.2.1", "2001:db8::1"] # ERROR: Invalid answer
      primary = "ns.example.org" # ERROR: Invalid address
    }
  }
  check "dns" {
    type = "MX"
    expect {
      answers = ["10 mail.example.org", "mail.example.org"] # ERROR: Invalid answer
    }
  }
  check "dns" { # ERROR: Contradictory check
    expect {
      code    = "NXDOMAIN"
      answers = ["a b 1 2 3 4 5"]
    }
  }
  check "dns" { # ERROR: Contradictory check
    type = "NS"
    expect { primary = "192.0.2.53" }
  }
  real_server "192.168.1.4" {}
}
