# The directors of the shop.
# Ask Jo before you change it.
# How often, and for how long
#
# As cleanstop of ldirectord: nothing is left in the table after a stop.
director {
  keep_table = false
}

# What customers see
# Shop
# with the old catalogue
virtual_service "192.0.2.80:www" {
  address    = "192.0.2.80"
  port       = 80
  forward    = "direct"
  on_failure = "drain"

  persistence {
    timeout = "10m"
    netmask = 24
  }

  check "http" {
    fast_interval    = "5s"
    timeout          = "9330ms" # 6s and pauses in ldirectord: a server that hangs is down after 28s
    port             = 8080
    path             = "/index.html"
    host             = "www.example.org"
    follow_redirects = 7        # ldirectord follows those to other hosts, too
    expect { body = "^Shop \\d+\\n?$" }
  }

  # the new machine
  real_server "web1" {
    address = "192.168.6.2" # when this was imported
    weight  = 10
  }

  # These three are alike.
  real_server "192.168.6.3" { weight = 5 }

  real_server "192.168.6.4" { weight = 5 }
  real_server "192.168.6.5" { weight = 5 }
  real_server "192.168.6.9" {}

  real_server "192.168.6.10" {
    weight  = 2
    forward = "nat"

    check "http" {
      fast_interval    = "5s"
      timeout          = "9330ms" # 6s and pauses in ldirectord: a server that hangs is down after 28s
      port             = 8080
      path             = "/deep/check"
      host             = "www.example.org"
      follow_redirects = 7        # ldirectord follows those to other hosts, too
      expect { body = "fine" }
    }
  }

  on "quorum_lost" {
    run      = ["/usr/local/sbin/sorry", "start", "192.0.2.80:80", "tcp"]
    user     = "root"
    at_start = true
  }

  on "quorum_reached" {
    run      = ["/usr/local/sbin/sorry", "stop", "192.0.2.80:80", "tcp"]
    user     = "root"
    at_start = true
  }

  fallback { address = "127.0.0.1" }
}

# by mark, for both ports
virtual_service "fwmark-7" {
  firewall_mark   = 7
  scheduler       = "sh"
  scheduler_flags = ["fallback", "port"]
  forward         = "nat"

  check "tcp" {
    fast_interval = "5s"
    timeout       = "7330ms" # 4s and pauses in ldirectord: a server that hangs is down after 22s
    port          = 443
  }

  check "https" {
    interval         = "15s"
    fast_interval    = "5s"
    down_interval    = "5s"
    timeout          = "9330ms" # 6s and pauses in ldirectord: a server that hangs is down after 28s
    port             = 443
    follow_redirects = 7        # ldirectord follows those to other hosts, too

    # ldirectord verifies who signed certificates, but not their names. Remove this line once they are valid:
    tls { verify = false }
  }

  real_server "192.168.6.2" {}

  real_server "192.168.6.3" {
    port = 8443

    check "tcp" {
      fast_interval = "5s"
      timeout       = "7330ms" # 4s and pauses in ldirectord: a server that hangs is down after 22s
    }

    check "https" {
      interval         = "15s"
      fast_interval    = "5s"
      down_interval    = "5s"
      timeout          = "9330ms" # 6s and pauses in ldirectord: a server that hangs is down after 28s
      follow_redirects = 7        # ldirectord follows those to other hosts, too

      # ldirectord verifies who signed certificates, but not their names. Remove this line once they are valid:
      tls { verify = false }
    }
  }

  on "quorum_lost" {
    run      = ["/bin/sh", "-c", "/usr/local/sbin/sorry mark > /dev/null start :0 fwm"]
    user     = "root"
    at_start = true
  }

  on "quorum_reached" {
    run      = ["/bin/sh", "-c", "/usr/local/sbin/sorry mark > /dev/null stop :0 fwm"]
    user     = "root"
    at_start = true
  }

  fallback {
    address = "192.168.6.99"
    forward = "direct"
  }
}

# shop.example.org was 192.0.2.80 when this was imported.
virtual_service "shop.example.org:8080" {
  address    = "192.0.2.80"
  port       = 8080
  scheduler  = "wrr"
  forward    = "tunnel"
  on_failure = "drain"

  check "tcp" {
    timeout = "2s"
    fall    = 1
  }

  real_server "192.168.6.2" {
    upper_threshold = 100
    lower_threshold = 80
  }

  real_server "192.168.6.3" {
    weight          = 0
    upper_threshold = 50

    check "tcp" {
      timeout = "2s"
      fall    = 1
      port    = 8081
    }
  }

  on "quorum_lost" {
    run      = ["/usr/local/sbin/sorry", "start", "192.0.2.80:8080", "tcp"]
    user     = "root"
    at_start = true
  }

  on "quorum_reached" {
    run      = ["/usr/local/sbin/sorry", "stop", "192.0.2.80:8080", "tcp"]
    user     = "root"
    at_start = true
  }

  fallback {
    address = "127.0.0.1"
    forward = "direct"
  }
}

virtual_service "192.0.2.80:domain" {
  address    = "192.0.2.80"
  port       = 53
  protocol   = "udp"
  scheduler  = "wrr"
  forward    = "direct"
  one_packet = true
  on_failure = "drain"

  # ldirectord asks up to 3 times in each of its rounds.
  check "ping" {
    fast_interval = "4s"
    timeout       = "4s"
  }

  real_server "192.168.6.2" {}

  on "quorum_lost" {
    run      = ["/usr/local/sbin/sorry", "start", "192.0.2.80:53", "udp"]
    user     = "root"
    at_start = true
  }

  on "quorum_reached" {
    run      = ["/usr/local/sbin/sorry", "stop", "192.0.2.80:53", "udp"]
    user     = "root"
    at_start = true
  }

  fallback { address = "127.0.0.1" }
}

virtual_service "192.0.2.80:domain-tcp" {
  address    = "192.0.2.80"
  port       = 53
  scheduler  = "wrr"
  forward    = "direct"
  on_failure = "drain"

  check "exec" {
    fast_interval = "5s"
    timeout       = "7330ms" # 4s and pauses in ldirectord: a server that hangs is down after 22s
    run           = ["/usr/local/sbin/ask", "192.0.2.80", "53", "192.168.6.2", "0"]
    user          = "root"
  }

  real_server "192.168.6.2" {}

  on "quorum_lost" {
    run      = ["/usr/local/sbin/sorry", "start", "192.0.2.80:53", "tcp"]
    user     = "root"
    at_start = true
  }

  on "quorum_reached" {
    run      = ["/usr/local/sbin/sorry", "stop", "192.0.2.80:53", "tcp"]
    user     = "root"
    at_start = true
  }

  fallback { address = "127.0.0.1" }
}

virtual_service "[2001:db8::80]:80" {
  address    = "2001:db8::80"
  port       = 80
  scheduler  = "wrr"
  forward    = "direct"
  on_failure = "drain"
  persistence { netmask = 64 }

  check "http" {
    fast_interval    = "5s"
    timeout          = "9330ms" # 6s and pauses in ldirectord: a server that hangs is down after 28s
    method           = "HEAD"
    follow_redirects = 7        # ldirectord follows those to other hosts, too
  }

  real_server "2001:db8::2" {}
  real_server "v6" { address = "2001:db8::7" } # when this was imported

  on "quorum_lost" {
    run      = ["/usr/local/sbin/sorry", "start", "[2001:db8::80]:80", "tcp"]
    user     = "root"
    at_start = true
  }

  on "quorum_reached" {
    run      = ["/usr/local/sbin/sorry", "stop", "[2001:db8::80]:80", "tcp"]
    user     = "root"
    at_start = true
  }

  fallback { address = "::1" }
}

defaults {
  check "*" {
    interval = "5s"
    rise     = 1
  }
}
