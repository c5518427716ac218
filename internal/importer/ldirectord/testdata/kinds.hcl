virtual_service "192.0.2.1:21" {
  address   = "192.0.2.1"
  port      = 21
  scheduler = "wrr"
  forward   = "nat"

  check "ftp" {
    interval      = "7s"
    user          = "probe"
    password_file = "/etc/lvsd/192.0.2.1-21.password"
    file          = "/pub/welcome.msg"
    expect { pattern = "welcome|hello" }
  }

  real_server "192.168.6.2" {}
}

virtual_service "192.0.2.1:2121" {
  address   = "192.0.2.1"
  port      = 2121
  scheduler = "wrr"
  forward   = "nat"
  check "ftp" { user = "anonymous" }
  real_server "192.168.6.2" { port = 21 }
}

virtual_service "192.0.2.1:25" {
  address   = "192.0.2.1"
  port      = 25
  scheduler = "wrr"
  forward   = "nat"
  check "smtp" {}
  real_server "192.168.6.2" {}
}

virtual_service "192.0.2.1:110" {
  address   = "192.0.2.1"
  port      = 110
  scheduler = "wrr"
  forward   = "nat"

  check "pop3" {
    user          = "probe"
    password_file = "/etc/lvsd/192.0.2.1-110.password"
  }

  real_server "192.168.6.2" {}
}

virtual_service "192.0.2.1:995" {
  address   = "192.0.2.1"
  port      = 995
  scheduler = "wrr"
  forward   = "nat"

  check "pop3" {
    # ldirectord verifies who signed certificates, but not their names. Remove this line once they are valid:
    tls { verify = false }
  }

  real_server "192.168.6.2" {}
}

virtual_service "192.0.2.1:143" {
  address   = "192.0.2.1"
  port      = 143
  scheduler = "wrr"
  forward   = "nat"
  check "imap" {}
  real_server "192.168.6.2" {}
}

virtual_service "192.0.2.1:993" {
  address   = "192.0.2.1"
  port      = 993
  scheduler = "wrr"
  forward   = "nat"

  check "imap" {
    # ldirectord verifies who signed certificates, but not their names. Remove this line once they are valid:
    tls { verify = false }
  }

  real_server "192.168.6.2" {}
}

virtual_service "192.0.2.1:119" {
  address   = "192.0.2.1"
  port      = 119
  scheduler = "wrr"
  forward   = "nat"
  check "nntp" {}
  real_server "192.168.6.2" {}
}

virtual_service "192.0.2.1:389" {
  address   = "192.0.2.1"
  port      = 389
  scheduler = "wrr"
  forward   = "nat"

  check "ldap" {
    timeout = "2s"
    base    = "ou=people,dc=example,dc=org"
  }

  real_server "192.168.6.2" {}
}

virtual_service "192.0.2.1:636" {
  address   = "192.0.2.1"
  port      = 636
  scheduler = "wrr"
  forward   = "nat"

  check "ldap" {
    timeout       = "5s"
    user          = "cn=probe,dc=example,dc=org"
    password_file = "/etc/lvsd/192.0.2.1-636.password"
    base          = "dc=example,dc=org"

    # ldirectord verifies no certificates of LDAP. Remove this line once they are valid:
    tls { verify = false }
  }

  real_server "192.168.6.2" {}
}

virtual_service "192.0.2.1:53" {
  address   = "192.0.2.1"
  port      = 53
  protocol  = "udp"
  scheduler = "wrr"
  forward   = "nat"

  check "dns" {
    name = "www.example.org"
    type = "A"
    expect { answers = ["192.0.2.7"] }
  }

  real_server "192.168.6.2" {}
}

virtual_service "192.0.2.1:53-tcp" {
  address   = "192.0.2.1"
  port      = 53
  scheduler = "wrr"
  forward   = "nat"

  check "dns" {
    name      = "7.2.0.192.in-addr.arpa"
    type      = "PTR"
    transport = "tcp"
  }

  real_server "192.168.6.2" {}
}

virtual_service "192.0.2.1:5060" {
  address   = "192.0.2.1"
  port      = 5060
  protocol  = "udp"
  scheduler = "wrr"
  forward   = "nat"

  check "sip" {
    transport = "udp"
    uri       = "sip:probe@example.org"
    from      = "sip:probe@example.org"
    expect { status = [200] }
  }

  real_server "192.168.6.2" {}
}

virtual_service "192.0.2.1:1812" {
  address   = "192.0.2.1"
  port      = 1812
  protocol  = "udp"
  scheduler = "wrr"
  forward   = "nat"

  check "radius" {
    timeout       = "5s"
    user          = "probe"
    password_file = "/etc/lvsd/192.0.2.1-1812.password"
    secret_file   = "/etc/lvsd/192.0.2.1-1812.secret"
  }

  real_server "192.168.6.2" {}
}

virtual_service "192.0.2.1:1813" {
  address   = "192.0.2.1"
  port      = 1813
  protocol  = "udp"
  scheduler = "wrr"
  forward   = "nat"
  check "ping" { timeout = "5s" }
  real_server "192.168.6.2" { port = 1812 }
}

virtual_service "192.0.2.1:3306" {
  address   = "192.0.2.1"
  port      = 3306
  scheduler = "wrr"
  forward   = "nat"

  check "mysql" {
    user          = "probe"
    password_file = "/etc/lvsd/192.0.2.1-3306.password"
    database      = "shop"
    query         = "SELECT ready FROM state"

    # There must be a row.
    expect { pattern = "\\n" }
  }

  real_server "db1" { address = "192.168.10.11" } # when this was imported
  real_server "192.168.10.12" {}
  real_server "192.168.10.13" {}
}

virtual_service "192.0.2.1:5432" {
  address   = "192.0.2.1"
  port      = 5432
  scheduler = "wrr"
  forward   = "nat"
  check "postgres" { user = "probe" }
  real_server "192.168.6.2" {}
}

virtual_service "192.0.2.1:1521" {
  address   = "192.0.2.1"
  port      = 1521
  scheduler = "wrr"
  forward   = "nat"
  check "tcp" {}
  real_server "192.168.6.2" {}
}

virtual_service "192.0.2.1:3128" {
  address   = "192.0.2.1"
  port      = 3128
  scheduler = "wrr"
  forward   = "nat"

  check "http" {
    path             = "/ok?x=1"
    host             = "www.example.org"
    follow_redirects = 7 # ldirectord follows those to other hosts, too
    proxy            = true
  }

  real_server "192.168.6.2" {}
}

virtual_service "192.0.2.1:7" {
  address   = "192.0.2.1"
  port      = 7
  scheduler = "wrr"
  forward   = "nat"

  check "tcp" {
    send = "hello\n"
    expect { pattern = "(?m)^hel+o\\n?$" }
  }

  real_server "192.168.6.2" {}
}

virtual_service "192.0.2.1:8" {
  address   = "192.0.2.1"
  port      = 8
  protocol  = "udp"
  scheduler = "wrr"
  forward   = "nat"

  check "udp" {
    send = "hello"
    expect { pattern = "(?s)." }
  }

  real_server "192.168.6.2" {}
}

virtual_service "192.0.2.1:9" {
  address   = "192.0.2.1"
  port      = 9
  scheduler = "wrr"
  forward   = "nat"
  check "none" {}
  real_server "192.168.6.2" {}
}

virtual_service "192.0.2.1:10" {
  address   = "192.0.2.1"
  port      = 10
  scheduler = "wrr"
  forward   = "nat"
  check "none" {}
  real_server "192.168.6.2" {}
}

virtual_service "192.0.2.1:12" {
  address   = "192.0.2.1"
  port      = 12
  scheduler = "wrr"
  forward   = "nat"

  check "exec" {
    timeout = "5s"
    run     = ["/bin/sh", "-c", "exec \"$0\" \"$@\" \"$LVSD_SERVER_ADDRESS\" \"$LVSD_SERVER_PORT\"", "/usr/bin/perl", "/usr/local/lib/ask.pl", "192.0.2.1", "12"]
    user    = "root"
  }

  real_server "192.168.6.2" {}
}

virtual_service "192.0.2.1:587" {
  address   = "192.0.2.1"
  port      = 587
  scheduler = "wrr"
  forward   = "nat"
  persistence { timeout = "1s" }
  check "smtp" {}
  real_server "192.168.6.2" {}
  real_server "127.0.0.1" { forward = "direct" }
}

virtual_service "192.0.2.1:588" {
  address   = "192.0.2.1"
  port      = 588
  scheduler = "wrr"
  forward   = "direct"
  check "tcp" { timeout = "5s" }
  real_server "192.168.6.2" {}
  real_server "192.168.6.5" {}
}

defaults {
  check "*" {
    interval = "20s"
    timeout  = "30s"
    rise     = 1
    fall     = 1
  }
}
