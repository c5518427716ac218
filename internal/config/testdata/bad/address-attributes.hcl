virtual_router "outside" {
  interface = "eth0"
  id        = 51
  addresses = ["10.13.0.200/24"]
  address "10.13.0.201/24" {
    label     = "eth1:web"    # ERROR: Invalid label
    broadcast = "2001:db8::1" # ERROR: Wrong family
    preferred = true          # ERROR: Unused preferred
  }
  extra_address "2001:db8::1/64" {
    label     = "eth0:web"    # ERROR: Unused label
    scope     = "link"        # ERROR: Unused scope
    broadcast = "10.13.0.255" # ERROR: Unused broadcast
  }
  address "10.13.0.202" {
    peer = "2001:db8::2" # ERROR: Invalid peer
  }
  address "10.13.0.203/24" {
    peer = "10.13.0.1" # ERROR: Unused prefix length
  }
  address "10.13.0.204" {
    peer      = "10.13.0.1"
    broadcast = "10.13.0.255" # ERROR: Unused broadcast
  }
  address "10.13.0.300/24" {} # ERROR: Invalid address
}
