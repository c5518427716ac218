virtual_router "outside" {
  interface      = "eth0"
  id             = 51
  addresses      = ["10.13.0.200/24"]
  missed_adverts = { lvs1 = 3, lvs2 = 5 }[node.name]  # WARNING: Different patience
}

virtual_router "inside" {
  interface      = "eth1"
  id             = 52
  addresses      = ["192.168.1.254/24"]
  missed_adverts = 1  # WARNING: One advert is enough
}

virtual_router "old" {
  interface      = "eth1"
  id             = 53
  addresses      = ["192.168.1.253/24"]
  missed_adverts = 101  # ERROR: Invalid missed_adverts
}
