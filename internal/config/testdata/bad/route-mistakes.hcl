virtual_router "outside" {
  interface = "eth0"
  id        = 51
  addresses = ["10.13.0.200/24"]
  route "10.9.0.1/16" { via = "10.13.0.1" } # ERROR: Invalid network
  route "10.9.0.0/16" { via = "2001:db8::1" } # ERROR: Wrong family
  route "10.10.0.0/16" {} # ERROR: No next hop
  route "10.11.0.0/16" {
    type = "blackhole"
    via  = "10.13.0.1" # ERROR: Unused via
  }
  route "10.13.0.0/16" {
    type      = "prohibit"
    hop_limit = 32    # ERROR: Unused hop_limit
    window    = 65535 # ERROR: Unused window
  }
  route "10.14.0.0/16" {
    via       = "10.13.0.1"
    hop_limit = 256 # ERROR: Invalid hop_limit
  }
  route "10.12.0.0/16" {
    interface = "eth1"
    onlink    = true # ERROR: Unused onlink
  }
  route "2001:db8::/32" {
    interface = "eth1"
    scope     = "link" # ERROR: Unused scope
  }
  route "10.12.0.0/16" { via = "10.13.0.1" } # ERROR: Duplicate route 10.12.0.0/16
  route "2001:db8:1::/48" { via = "2001:db8::1" }
  route "2001:db8:1::/48" { # ERROR: Duplicate route 2001:db8:1::/48
    via    = "2001:db8::1"
    metric = 1024
  }
}
