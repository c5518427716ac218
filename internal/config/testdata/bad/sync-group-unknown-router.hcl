virtual_router "outside" {
  interface = "eth0"
  id        = 51
  addresses = ["10.13.0.200/24"]
}
virtual_router "inside" {
  interface = "eth1"
  id        = 52
  addresses = ["192.168.1.254/24"]
}
sync_group "nat" {
  routers = [
    "outside",
    "insid",  # ERROR: Unknown virtual_router "insid"
  ]
}
