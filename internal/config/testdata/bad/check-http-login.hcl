virtual_service "web" {
  address = "10.13.0.200"
  port    = 80
  forward = "nat"
  check "http" {
    proxy         = true # ERROR: Nobody to ask for
    password_file = "secret" # ERROR: Invalid password_file
  }
  check "http" {
    user          = "a:b" # ERROR: Invalid user
    password_file = "/etc/lvsd/web.password"
  }
  check "http" { # ERROR: Missing user
    password_credential = "web"
  }
  check "https" {
    port    = 443
    user    = "lvsd" # ERROR: Two logins
    password_credential = "web"
    headers = { authorization = "Bearer x" }
    tls {
      client { # ERROR: Missing key_file
        certificate_file = "check-http-login.hcl" # ERROR: No certificate
      }
    }
  }
  check "tls" {
    client {
      certificate_file = "absent.pem" # ERROR: Unreadable certificate_file
      key_file         = "client.key" # ERROR: Invalid key_file
    }
  }
  real_server "192.168.1.4" {}
}
