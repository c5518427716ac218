virtual_service "web" {
  address = "10.13.0.200"
  port    = 80
  forward = "nat"
  check "any" {} # ERROR: No check
  check "any" { # WARNING: Check of one part
    check "tcp" {}
  }
  check "all" {
    at_least = 2 # ERROR: Unused at_least
    check "tcp" {}
    check "none" {} # ERROR: Check none among others
  }
  check "any" {
    at_least = 3 # ERROR: Invalid at_least
    check "tcp" {}
    check "ping" {}
  }
  check "any" {
    interval = "1s" # ERROR: Unused interval
    check "tcp" {}
    check "pong" {} # ERROR: Unknown check "pong"
    check "http" { pfad = "/" } # ERROR: Unknown argument "pfad"
  }
  check "any" { # WARNING: Check that always passes
    check "http" {}
    check "agent" { port = 5555 }
  }
  check "any" { # ERROR: Nested too deeply
    check "tcp" {}
    check "all" {
      check "tcp" { port = 81 }
      check "any" {
        check "tcp" { port = 82 }
        check "all" {
          check "tcp" { port = 83 }
          check "tcp" { port = 84 }
        }
      }
    }
  }
  real_server "192.168.1.4" {}
}

virtual_service "agents" {
  address = "10.13.0.200"
  port    = 81
  forward = "nat"
  check "any" { # WARNING: Agent alone
    check "agent" { port = 5555 }
    check "agent" { port = 5556 }
  }
  real_server "192.168.1.4" {}
}
