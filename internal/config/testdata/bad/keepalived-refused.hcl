director {
  enable_snmp_vrrp = true  # ERROR: Unknown argument "enable_snmp_vrrp"
  enable_dbus      = true  # ERROR: Unknown argument "enable_dbus"
  vrrp_iptables    = "in"  # ERROR: Unknown argument "vrrp_iptables"
}

virtual_router "outside" {
  interface = "eth0"
  id        = 51
  addresses = ["10.13.0.200/24"]
  AH {}  # ERROR: Unknown block "AH"
}
