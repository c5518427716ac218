virtual_router "outside" {
  interface = "eth0"
  id        = 51
  addresses = ["10.13.0.200/24"]
  notify_master = "/etc/lvsd/hooks/notify" # ERROR: Unknown argument "notify_master"
}
