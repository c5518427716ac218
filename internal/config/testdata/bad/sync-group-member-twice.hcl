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
  routers = ["outside", "inside"]
}
sync_group "more" {
  routers = [
    "inside",  # ERROR: Duplicate member "inside"
    "other",
  ]
}
sync_group "nat" {  # ERROR: Duplicate sync_group "nat"
  routers = ["a", "b"]
}
