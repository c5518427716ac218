virtual_router "outside" {
  interface = "eth0"
  id        = 51
  addresses = ["10.13.0.200/24"]
  track "file" "maintenance" {
    path    = "/run/lvsd/maintenance"
    reverse = true
  }
  track "interface" "eth1" { weight = -20 }
}
virtual_router "inside" {
  interface = "eth1"
  id        = 52
  addresses = ["192.168.1.254/24"]
  track "file" "maintenance" {
    path = "/run/lvsd/maintenance"
  }
}
sync_group "nat" {
  routers = [
    "outside",
    "inside",  # WARNING: Both directors would stand back
  ]
  track "interface" "eth1" { reverse = true }
}
