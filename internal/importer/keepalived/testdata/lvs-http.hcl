virtual_service "shop" {
  address = "192.0.2.10"
  port    = 443
  forward = "direct"
  initial = "up"

  real_server "web1" {
    address = "10.0.0.11"

    check "https" {
      path = "/health"
      host = "www.example.org"
      expect { status = ["200-299", 304] }

      # keepalived verifies no certificate. To have it verified, write ca_file = "/etc/ssl/certs/ca.pem" in place of the next line.
      tls {
        verify = false

        client {
          certificate_file = "/etc/keepalived/client.pem"
          key_file         = "/etc/keepalived/client.key"
        }
      }
    }

    check "https" {
      path = "/old"
      host = "old.example.org"
      expect { md5 = "9b3a0c85a887a256d6939da88aabd8cd" }

      # keepalived verifies no certificate. To have it verified, write ca_file = "/etc/ssl/certs/ca.pem" in place of the next line.
      tls {
        verify = false

        client {
          certificate_file = "/etc/keepalived/client.pem"
          key_file         = "/etc/keepalived/client.key"
        }
      }
    }
  }

  real_server "10.0.0.12" {
    check "http" {
      port = 8080
      path = "/index.html"
      host = "web2.example.org"
      expect { body = "(?im)^Status: (OK|fine)$" }
    }

    check "http" {
      port = 8080
      path = "/error"
      host = "web2.example.org"
      expect { not = "Exception d+" }
    }
  }
}

defaults {
  check "*" {
    interval      = "20s"    # keepalived asks for one url each delay_loop
    fast_interval = "2s"
    down_interval = "10s"
    timeout       = "5330ms" # connect_timeout 4s, and pauses: a silent server is down after 16s
    rise          = 1
  }
}
