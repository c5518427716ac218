director {
  connection_sync {
    router    = "outsid"
    interface = "eth1"
    group     = "10.13.0.5" # ERROR: Invalid group
    id        = 256 # ERROR: Invalid id
  }
  ipvs {
    udp_timeout    = "1500ms" # ERROR: Invalid timeout
    sync_threshold = "50 3" # ERROR: Invalid sync_threshold
    sync_ports     = 3 # ERROR: Invalid sync_ports
    est_cpulist    = "two" # ERROR: Invalid est_cpulist
    conn_reuse     = 1 # ERROR: Unknown argument "conn_reuse"
  }
}

virtual_router "outside" {
  interface = "eth0"
  id        = 51
  priority  = 100
  addresses = ["10.13.0.200/24"]
}
