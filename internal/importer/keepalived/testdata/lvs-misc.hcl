virtual_service "192.0.2.10:80" {
  address = "192.0.2.10"
  port    = 80
  forward = "nat"
  initial = "up"

  real_server "10.0.0.11" {
    check "exec" {
      interval      = "5s"
      fast_interval = "1s"
      timeout       = "3670ms" # connect_timeout 3s, and pauses: a silent server is down after 11s
      rise          = 1
      run           = ["/usr/local/bin/check", "10.0.0.11", "a page", "b c"]
      user          = "nobody"
      status_weight = true
    }
  }

  real_server "10.0.0.12" {
    check "exec" {
      interval = "5s"
      timeout  = "5s"
      rise     = 1
      fall     = 1
      run      = ["/usr/bin/check", "10.0.0.12"]
    }

    # The server is down while the number in the file is not 0.
    # That is seen within a second, and by keepalived at once.
    check "exec" {
      interval = "1s"
      timeout  = "10s"
      rise     = 1
      fall     = 1
      run      = ["/bin/sh", "-c", "! grep -qsE '^[[:space:]]*[-+]?0*[1-9]' \"$0\"", "/etc/keepalived/maintenance"]
    }
  }

  real_server "10.0.0.13" {
    # The server is down while the number in the file is 0, or the file is missing.
    # That is seen within a second, and by keepalived at once.
    check "exec" {
      interval = "1s"
      timeout  = "10s"
      rise     = 1
      fall     = 1
      run      = ["/bin/sh", "-c", "grep -qsE '^[[:space:]]*[-+]?0*[1-9]' \"$0\"", "/etc/keepalived/maintenance"]
    }
  }
}

virtual_service "192.0.2.11:80" {
  address = "192.0.2.11"
  port    = 80
  forward = "tunnel"
  initial = "up"

  tunnel {
    type = "gue"
    port = 5555
  }

  check "none" {}
  real_server "10.0.0.11" {}

  real_server "10.0.0.12" {
    forward = "tunnel"
    tunnel {}
  }
}
