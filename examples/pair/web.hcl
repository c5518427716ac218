# Web service by NAT: the director rewrites the packets both ways.
#
# Each server needs one of the gateways of director.hcl as its default route:
#   ip route replace default via 192.168.1.254      # on 192.168.1.x
#   ip route replace default via 192.168.2.254      # on 192.168.2.x
# and nothing else: no address, no tunnel, any port.

virtual_service "web" {
  address   = "10.13.0.200"
  port      = 80
  scheduler = "wrr"
  forward   = "nat"

  persistence { timeout = "300s" } # a client stays with its server so long

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
  real_server "192.168.2.2" { weight = 1 } # the name is the address

  # In the table exactly while no other server is: a page that says sorry, from
  # a web server on the director itself.
  fallback {
    address = "10.13.0.200"
    port    = 8080
  }
}
