virtual_service "192.0.2.10:80" {
  address         = "192.0.2.10"
  port            = 80
  scheduler       = "wrr"
  forward         = "direct"
  on_failure      = "drain"
  min_healthy     = "weight 15"
  recover_healthy = "weight 25"
  ha_suspend      = true

  check "tcp" {
    fast_interval = "1s"
    timeout       = "5s" # a silent server is down after 10s, keepalived's after 11s
    rise          = 1
    fall          = 2
  }

  real_server "10.0.0.11" {
    weight          = 10
    upper_threshold = 100
    lower_threshold = 80
  }

  real_server "10.0.0.12" {
    weight     = 0
    forward    = "tunnel"
    initial    = "up"
    on_failure = "remove"

    tunnel {
      type     = "gre"
      checksum = "plain"
    }
  }

  real_server "10.0.0.13" { weight = 10 }

  on "quorum_reached" {
    run      = ["/usr/local/bin/quorum", "up", "two words"]
    user     = "nobody"
    at_start = true
  }

  on "quorum_lost" {
    run     = ["/usr/local/bin/quorum", "down"]
    user    = "keepalived_script"
    at_stop = true
  }

  on "up" {
    run      = ["/usr/local/bin/server", "up"]
    user     = "keepalived_script"
    at_start = true
  }

  on "down" {
    run     = ["/usr/local/bin/server", "down"]
    user    = "keepalived_script"
    at_stop = true
  }

  fallback {
    address = "10.0.0.200"
    forward = "tunnel"

    tunnel {
      type     = "gue"
      port     = 5555
      checksum = "plain"
    }

    # It stays in the table, with weight 0 while it is not needed.
    check "none" {}
  }
}
