director {
  connection_sync {
    router    = "lvs1"
    interface = "eth1"
  }
}

virtual_router "lvs1" {
  interface      = "eth0"
  link_up_delay  = "12s" # Heartbeat's default for initdead
  id             = 51
  priority       = { lvs1 = 150, lvs2 = 100 }[node.name]
  missed_adverts = 4
  preempt        = false
  addresses      = ["10.13.0.200", "10.13.0.201", "10.13.0.202"]
  resource "systemd" "httpd.service" {}
}
