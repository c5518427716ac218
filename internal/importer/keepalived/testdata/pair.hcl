# The two directors of the shop.
# 10.13.0.202: the old name
# virtual_ipaddress: the shop
virtual_router "VI_1" {
  interface = "eth0"
  id        = 51
  version   = 2
  priority  = 150
  addresses = ["10.13.0.200/24", "10.13.0.202"]
  address "10.13.0.201/24" { label = "eth0:shop" }
  extra_address "192.168.1.254/24" { interface = "eth1" }
  announce { refresh = "1m" }
  track "interface" "eth1" {}
  track "interface" "eth2" { weight = 10 }

  # Is haproxy there?
  # weight: not more than the difference of the priorities
  track "exec" "haproxy" {
    run      = ["/usr/bin/pgrep", "-x", "haproxy"]
    user     = "keepalived_script"
    timeout  = "2s"
    interval = "2s"
    fall     = 2
    weight   = -20
  }

  authentication { password = trimspace(file("VI_1.password")) }

  on "master" {
    run  = ["/etc/keepalived/master.sh", "up"]
    user = "root"
  }

  on "master" {
    run  = ["/bin/sh", "-c", "exec \"$0\" \"$@\" \"$LVSD_PRIORITY\"", "/etc/keepalived/state.sh", "INSTANCE", "VI_1", "MASTER"]
    user = "keepalived_script"
  }

  on "backup" {
    run  = ["/bin/sh", "-c", "exec \"$0\" \"$@\" \"$LVSD_PRIORITY\"", "/etc/keepalived/state.sh", "INSTANCE", "VI_1", "BACKUP"]
    user = "keepalived_script"
  }

  on "fault" {
    run  = ["/bin/sh", "-c", "exec \"$0\" \"$@\" \"$LVSD_PRIORITY\"", "/etc/keepalived/state.sh", "INSTANCE", "VI_1", "FAULT"]
    user = "keepalived_script"
  }

  on "stop" {
    run  = ["/bin/sh", "-c", "exec \"$0\" \"$@\" \"$LVSD_PRIORITY\"", "/etc/keepalived/state.sh", "INSTANCE", "VI_1", "STOP"]
    user = "keepalived_script"
  }
}
