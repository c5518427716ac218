# A web service with NAT: the director rewrites packets in both directions.
#
# Each server needs one of the gateways in director.hcl as its default route:
#   ip route replace default via 192.168.1.254      # on 192.168.1.x
#   ip route replace default via 192.168.2.254      # on 192.168.2.x
# and nothing else: no virtual address, no tunnel, and any port will do.

virtual_service "web" {
  address   = "10.13.0.200"
  port      = 80
  scheduler = "wrr"
  forward   = "nat"

  persistence { timeout = "300s" } # how long a client stays with its server

  check "http" {
    path     = "/index.html"
    interval = "2s"
    timeout  = "1s"
    rise     = 2
    fall     = 3
    expect { status = ["200-299"] }
  }

  real_server "compute-0-0" {
    address = "192.168.1.4"
    weight  = 3
  }
  real_server "compute-0-1" {
    address = "192.168.1.5"
    weight  = 3
  }
  real_server "192.168.2.2" { weight = 1 } # the label is the address

  # Used only while no real server is up: an apology page from a web server on
  # the director itself.
  fallback {
    address = "10.13.0.200"
    port    = 8080
  }
}
