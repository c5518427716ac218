# Two directors, 10.13.0.15 (lvs1) and 10.13.0.16 (lvs2), share the virtual
# address 10.13.0.200. The servers' networks, 192.168.1.0/24 and
# 192.168.2.0/24, are behind them on eth1.
#
# Both directors use the same files. Both need:
#   sysctl net.ipv4.ip_forward=1       # NAT forwards packets
#   IP protocol 112 (VRRP) open between them on eth0

locals {
  # By host name, up to its first dot. lvs1 is Master whenever it is running.
  priority = { lvs1 = 150, lvs2 = 100 }
}

director {
  http { listen = "127.0.0.1:9112" } # metrics and health checks, read-only

  ipvs {
    expire_nodest_conn = true  # a client of DNS whose server fails is sent to another one
    udp_timeout        = "10s" # the kernel's default is 5 minutes
  }
}

virtual_router "outside" {
  interface       = "eth0"
  id              = 51
  priority        = local.priority[node.name] # an unknown node is an error
  advert_interval = "1s"                      # a Master that dies is replaced after three to four of these
  addresses       = ["10.13.0.200/24"]

  # The servers' gateways move with the virtual address: an answer must pass
  # through the director that translated the request. Without eth1 a director is of
  # no use, and is not Master.
  extra_address "192.168.1.254/24" { interface = "eth1" }
  extra_address "192.168.2.254/24" { interface = "eth1" }
}
