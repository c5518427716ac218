director {
  keep_table = false

  ipvs {
    tcp_timeout     = "1h"
    tcp_fin_timeout = "30s"
    udp_timeout     = "1m"
  }

  connection_sync {
    router    = "outside"
    interface = "eth2"
    id        = 3
    port      = 8850
  }
}

virtual_router "outside" {
  interface      = "eth0"
  id             = 51
  version        = 2
  missed_adverts = 4

  address "192.0.2.10/24" {
    scope     = "link"
    broadcast = "192.0.2.255"
  }

  virtual_mac {
    device                 = "vrrp.51"
    adverts_from_interface = true
  }
}

virtual_router "inside" {
  interface      = "eth1"
  id             = 52
  version        = 2
  missed_adverts = 4
  addresses      = ["192.168.0.254/24"]
}

virtual_router "alone" {
  interface      = "eth3"
  id             = 53
  version        = 2
  priority       = 90
  missed_adverts = 4
  preempt_delay  = "5m"
  addresses      = ["172.16.0.1/16"]
  accept         = false

  track "file" "load" {
    path   = "/run/load"
    number = true
    weight = -1
  }

  track "process" "proxy" {
    program    = "haproxy"
    down_after = "2s"
    weight     = -30
  }
}

static {
  address "192.168.9.1/24" { interface = "eth1" }
  address "192.168.8.1/24" { interface = "eth9" }

  route "10.9.0.0/16" {
    via       = "192.168.0.1"
    interface = "eth1"
  }

  rule {
    priority = 16384
    from     = "10.9.0.0/16"
    table    = 100
  }
}

# Both networks move together.
sync_group "nat" {
  routers = ["outside", "inside"]

  track "exec" "uplink" {
    run      = ["/bin/ping", "-c", "1", "-W", "1", "192.0.2.1"]
    user     = "nobody"
    timeout  = "3s"
    interval = "5s"
    rise     = 1
    fall     = 1
    initial  = "unmet"
  }

  on "fault" { run = ["/etc/keepalived/fault.sh", "a b"] }
}
