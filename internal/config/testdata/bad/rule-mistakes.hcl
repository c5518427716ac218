virtual_router "outside" {
  interface = "eth0"
  id        = 51
  addresses = ["10.13.0.200/24"]
  rule {
    priority      = 100
    table         = 100
    firewall_mark = 3 # ERROR: Impossible firewall_mark
    firewall_mask = 1
  }
  rule {
    priority      = 101
    table         = 100
    firewall_mask = 1 # ERROR: Unused firewall_mask
  }
  rule {
    priority = 102
    table    = 100
    to       = "2001:db8::/32"
    from     = "10.9.0.0/16" # ERROR: Mixed families
  }
  rule {
    priority = 103
    table    = 100
    to       = "10.9.0.0/16" # ERROR: Mixed families
    family   = "ipv6"
  }
  rule { # ERROR: Missing table # ERROR: Missing priority
    from     = "10.9.0.1/16" # ERROR: Invalid network
  }
  rule {
    priority = 104
    table    = 100
  }
  rule { # ERROR: Duplicate rule rule 104: from all lookup 100
    priority = 104
    table    = 100
  }
  rule {
    priority         = 105
    table            = 100
    source_port      = "1024-1000"  # ERROR: Invalid ports
    destination_port = "1024-65535" # ERROR: Invalid ports
  }
  rule {
    priority               = 106
    table                  = 1000
    suppress_prefix_length = 0 # ERROR: Unused suppress_prefix_length
  }
  rule {
    priority = 107
    table    = 100
    tos      = 8 # ERROR: Unknown argument "tos"
  }
  route "10.9.0.0/16" {
    type = "blackhole"
    mtu  = 1400 # ERROR: Unused mtu
  }
}
