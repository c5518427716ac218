# Retries that are slower than the loop, and timeouts of all lengths.
virtual_service "192.0.2.10:80" {
  address = "192.0.2.10"
  port    = 80
  forward = "nat"
  initial = "up"

  real_server "10.0.0.11" {
    check "tcp" {
      interval = "3s"     # delay_loop 1s, delay_before_retry 3s: all probes come as often as those
      timeout  = "3250ms" # connect_timeout 1s, and pauses: a silent server is down after 13s
      rise     = 1
      fall     = 4
    }
  }

  real_server "10.0.0.12" {
    check "http" {
      interval      = "1s"
      fast_interval = "500ms"
      timeout       = "670ms" # connect_timeout 250ms, and pauses: a silent server is down after 4s
      rise          = 1
      fall          = 6
    }
  }

  real_server "10.0.0.13" {
    check "http" {
      interval      = "5s"
      fast_interval = "4s"
      timeout       = "3s" # connect_timeout 1s, and pauses: a silent server is down after 11s
      rise          = 1
    }
  }

  real_server "10.0.0.14" {
    check "tcp" {
      interval = "24h"
      timeout  = "5s"
      rise     = 1
      fall     = 1
    }
  }
}
