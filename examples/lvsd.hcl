# A pair of directors in front of two web servers, in the fewest lines.
#
# Copy this file to /etc/lvsd on both directors, put your own addresses and
# interface into it, and try it with: lvsd validate
# Every option is in reference.hcl and in lvsd.hcl(5).

virtual_router "outside" {
  interface = "eth0"
  id        = 51                 # the same on both directors, free on this network
  addresses = ["10.13.0.200/24"] # on exactly one of the directors
}

virtual_service "web" {
  address = "10.13.0.200"
  port    = 80
  forward = "direct" # the servers need the address on lo: see direct/

  real_server "10.13.0.21" {}
  real_server "10.13.0.22" {}
}
