director {
  keep_table = false

  connection_sync {
    router    = "inside"
    interface = "eth1"
    id        = 51
  }
}

virtual_router "inside" {
  interface     = "eth0"
  link_up_delay = "5s"
  id            = 51
  version       = 2
  addresses     = ["10.13.0.200/24"]

  route "10.9.0.0/16" {
    via       = "10.13.0.1"
    hop_limit = 9
  }

  route "10.11.0.0/16" { via = "10.13.0.2" }

  rule {
    priority               = 100
    from                   = "10.13.1.0/24"
    suppress_prefix_length = 8
    table                  = 100
  }

  announce { refresh = "1m" }
}

virtual_service "10.13.0.200:443" {
  address   = "10.13.0.200"
  port      = 443
  scheduler = "mh"
  forward   = "nat"
  initial   = "up"

  real_server "192.168.1.4" {
    check "none" {}
  }

  real_server "192.168.1.5" {
    check "https" {
      interval      = "1m"
      fast_interval = "3s"
      timeout       = "5s" # a silent server is down after 10s, keepalived's after 13s
      rise          = 1
      fall          = 2
      expect { status = [200] }

      # keepalived verifies no certificate. Remove the next line to have it verified.
      tls {
        server_name = "www.example.org"
        verify      = false
      }
    }
  }
}

virtual_service "10.13.0.200:80" {
  address   = "10.13.0.200"
  port      = 80
  scheduler = "sh"
  forward   = "nat"
  initial   = "up"
  check "none" {}
  real_server "192.168.1.4" {}
}
