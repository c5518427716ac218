virtual_service "192.0.2.10:80" {
  address = "192.0.2.10"
  port    = 80
  forward = "nat"
  initial = "up"
  check "http" { path = "/a" }
  check "http" { path = "/b" }

  check "http" {
    path = "/c"
    expect { body = "(?sU)\\A(?:^h*end[$]\\z)" }
  }

  check "http" {
    path = "/d"
    expect { status = [200] }
  }

  real_server "10.0.0.11" {}
}

defaults {
  check "*" {
    interval      = "4m" # keepalived asks for one url each delay_loop
    fast_interval = "3s"
    down_interval = "1m"
    timeout       = "5s" # a silent server is down after 10s, keepalived's after 13s
    rise          = 1
    fall          = 2
  }
}
