virtual_router "outside" {
  interface         = "eth0"
  virtual_router_id = 51  # ERROR: Unknown argument "virtual_router_id"
  id                = 51
  advert_int        = 1  # ERROR: Unknown argument "advert_int"
  nopreempt         = true  # ERROR: Unknown argument "nopreempt"
  state             = "MASTER"  # ERROR: Unknown argument "state"
  unicast_src_ip    = "10.13.0.15"  # ERROR: Unknown argument "unicast_src_ip"
  unicast_peer      = ["10.13.0.16"]  # ERROR: Unknown argument "unicast_peer"
  virtual_ipaddress = ["10.13.0.201/24"]  # ERROR: Unknown argument "virtual_ipaddress"
  addresses         = ["10.13.0.200/24"]
  version           = 2
  authentication {
    auth_type = "PASS"  # ERROR: Unknown argument "auth_type"
    auth_pass = "1111"  # ERROR: Unknown argument "auth_pass"
    active_key  = 1  # ERROR: Unknown argument "active_key"
    anti_replay = "time"  # ERROR: Unknown argument "anti_replay"
    time_window = 5  # ERROR: Unknown argument "time_window"
  }
}

virtual_service "web" {
  address             = "10.13.0.200"
  port                = 80
  forward             = "DR"  # ERROR: Unknown forward "DR"
  lb_algo             = "wrr"  # ERROR: Unknown argument "lb_algo"
  lb_kind             = "NAT"  # ERROR: Unknown argument "lb_kind"
  delay_loop          = 6  # ERROR: Unknown argument "delay_loop"
  persistence_timeout = 300  # ERROR: Unknown argument "persistence_timeout"
  check "TCP_CHECK" {}  # ERROR: Unknown check "TCP_CHECK"
  sorry_server {}  # ERROR: Unknown block "sorry_server"
  real_server "192.168.1.4" {
    forward = "masq"  # ERROR: Unknown forward "masq"
    HTTP_GET {}  # ERROR: Unknown block "HTTP_GET"
    check "SSL_GET" {}  # ERROR: Unknown check "SSL_GET"
  }
  real_server "192.168.1.5" {
    forward = "TUN"  # ERROR: Unknown forward "TUN"
  }
}

vrrp_instance "inside" {  # ERROR: Unknown block "vrrp_instance"
  interface = "eth1"
}

virtual_server "mail" {  # ERROR: Unknown block "virtual_server"
  address = "10.13.0.200"
}
