! Configuration File for keepalived
global_defs {  # ERROR: Configuration of keepalived
  router_id LVS_1
}
vrrp_instance VI_1 {
  state MASTER
  interface eth0
  virtual_router_id 51
  authentication {
    auth_type PASS
    auth_pass a=b
  }
  virtual_ipaddress {
    10.13.0.200/24 dev eth0
  }
}
virtual_server 10.13.0.200 80 {
  delay_loop 6
  lb_algo wrr
  lb_kind NAT
  real_server 192.168.1.4 80 {
    HTTP_GET {
      url {
        path /
      }
    }
  }
}
