locals {
  other = { lvs1 = "10.13.0.16", lvs2 = "10.13.0.15" }[node.name]
}
virtual_router "outside" {
  interface = "eth0"
  id        = 51
  priority  = 150  # WARNING: Equal priorities
  addresses = ["10.13.0.200/24"]
  peers     = [local.other]
}
virtual_router "dmz" {
  interface = "eth0"
  id        = 52
  priority  = 255  # WARNING: Every director is the owner
  addresses = ["10.13.0.201/24"]
}
virtual_router "stays" {
  interface = "eth0"
  id        = 53
  preempt   = false
  addresses = ["10.13.0.202/24"]
}
virtual_router "differs" {
  interface = "eth0"
  id        = 54
  priority  = local.other == "10.13.0.16" ? 150 : 100
  addresses = ["10.13.0.203/24"]
}
