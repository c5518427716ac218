director {
  connection_sync {
    router    = "outside"
    interface = "eth7" # WARNING: No interface "eth7" on this machine
  }
}

virtual_router "outside" {
  interface = "eth0"
  id        = 51
  priority  = 100
  addresses = ["10.13.0.200/24"]
}
