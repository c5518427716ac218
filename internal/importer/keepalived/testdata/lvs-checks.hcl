virtual_service "192.0.2.10:25" {
  address = "192.0.2.10"
  port    = 25
  forward = "nat"
  initial = "up"

  real_server "10.0.0.11" {
    check "smtp" {
      interval      = "15s"
      fast_interval = "1s"
      timeout       = "2670ms" # connect_timeout 2s, and pauses: a silent server is down after 8s
      port          = 26
      name          = "mail.example.org"
    }

    check "smtp" {
      interval      = "15s"
      fast_interval = "1s"
      timeout       = "5s" # a silent server is down after 15s, keepalived's after 17s
      address       = "10.0.0.21"
      name          = "mail.example.org"
      via { source = "10.0.0.1" }
    }
  }

  real_server "10.0.0.12" {
    check "smtp" {
      interval      = "7s"
      fast_interval = "7s"
      timeout       = "4s" # connect_timeout 2s, and pauses: a silent server is down after 11s
      fall          = 2
      port          = 2525
      address       = "10.0.0.22"
      name          = "smtpchecker.keepalived.org"

      via {
        source        = "10.0.0.1"
        interface     = "eth1"
        firewall_mark = 3
        source_ports  = "40000"
      }
    }

    check "ping" {
      interval = "7s" # delay_loop 5s, delay_before_retry 7s: all probes come as often as those
      timeout  = "4s" # connect_timeout 2s, and pauses: a silent server is down after 11s
      fall     = 2
    }
  }
}

virtual_service "192.0.2.10:53-udp" {
  address  = "192.0.2.10"
  port     = 53
  protocol = "udp"
  forward  = "nat"
  initial  = "up"

  real_server "10.0.0.11" {
    check "dns" {
      interval      = "1m"
      fast_interval = "1m"
      timeout       = "5s" # a silent server is down after 185s, keepalived's after 200s
      fall          = 4
      name          = "www.example.org"
      type          = "A"
    }
  }

  real_server "10.0.0.12" {
    check "udp" {
      send = "hex:000102ff"
      expect { text = "hex:0203" }
    }
  }

  real_server "10.0.0.13" {
    check "udp" {
      expect { text = "hex:0001" }
    }
  }

  real_server "10.0.0.14" {
    check "udp" {
      interval = "65s" # delay_loop, and connect_timeout, for which keepalived waits each time
      timeout  = "5s"
    }
  }

  real_server "10.0.0.15" {
    check "udp" { reply = true }

    check "dns" {
      interval      = "1m"
      fast_interval = "1m"
      timeout       = "5s" # a silent server is down after 185s, keepalived's after 200s
      fall          = 4
    }
  }
}

defaults {
  check "*" { rise = 1 }

  check "udp" {
    interval      = "1m"
    fast_interval = "1s"
    timeout       = "5s" # a silent server is down after 10s, keepalived's after 11s
    fall          = 2
  }
}
