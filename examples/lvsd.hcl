# A minimal configuration: a pair of directors in front of two web servers.
#
# Copy this file to /etc/lvsd on both directors, replace the addresses and the
# interface with your own, and check it with: lvsd validate
# reference.hcl and lvsd.hcl(5) describe every option.

virtual_router "outside" {
  interface = "eth0"
  id        = 51                 # the same on both directors, otherwise unused on this network
  addresses = ["10.13.0.200/24"] # on exactly one of the directors
}

virtual_service "web" {
  address = "10.13.0.200"
  port    = 80
  forward = "direct" # the servers need the virtual address on lo: see direct/

  real_server "10.13.0.21" {}
  real_server "10.13.0.22" {}
}
