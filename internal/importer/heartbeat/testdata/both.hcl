# The database of the warehouse, on DRBD.
# Its web server.
virtual_router "alpha" {
  interface       = "eth0"
  link_up_delay   = "90s" # initdead
  id              = 51
  priority        = { alpha = 150, beta = 100 }[node.name]
  advert_interval = "2s"
  missed_adverts  = 10
  preempt         = false
  addresses       = ["10.13.0.30/24", "10.13.0.31/24"]
  peers           = { alpha = ["10.13.0.11"], beta = ["10.13.0.12"] }[node.name]

  authentication {
    signer = 3
    replay = "order"
    key "3" { file = "/etc/lvsd/heartbeat.key3" }
    key "1" { file = "/etc/lvsd/heartbeat.key1" }
  }

  resource "command" "drbddisk r0" {
    start  = ["/etc/ha.d/resource.d/drbddisk", "r0", "start"]
    stop   = ["/etc/ha.d/resource.d/drbddisk", "r0", "stop"]
    status = ["/etc/ha.d/resource.d/drbddisk", "r0", "status"]
    user   = "root"
  }

  resource "mount" "/srv/db" {
    device  = "/dev/drbd0"
    type    = "ext4"
    options = ["noatime", "nodiratime"]
  }

  resource "systemd" "mysql.service" {}
  resource "systemd" "apache2.service" {}
}

# What the customers see.
# the cache
virtual_router "beta" {
  interface       = "eth1"
  link_up_delay   = "90s" # initdead
  id              = 52
  priority        = { alpha = 100, beta = 150 }[node.name]
  advert_interval = "2s"
  missed_adverts  = 10
  preempt         = false

  address "10.13.1.40/25" {
    label     = "eth1:www"
    broadcast = "10.13.1.127"
  }

  extra_address "2001:db8::40/64" {}
  extra_address "2001:db8::41/64" {}
  extra_address "10.13.0.41/24" { interface = "eth0" }

  authentication {
    signer = 3
    replay = "order"
    key "3" { file = "/etc/lvsd/heartbeat.key3" }
    key "1" { file = "/etc/lvsd/heartbeat.key1" }
  }

  resource "systemd" "squid.service" {}
  resource "mount" "/export" { device = "LABEL=export" }

  resource "command" "Raid1 /etc/raidtab /dev/md0" {
    start  = ["/etc/ha.d/resource.d/Raid1", "/etc/raidtab", "/dev/md0", "start"]
    stop   = ["/etc/ha.d/resource.d/Raid1", "/etc/raidtab", "/dev/md0", "stop"]
    status = ["/etc/ha.d/resource.d/Raid1", "/etc/raidtab", "/dev/md0", "status"]
    user   = "root"
  }

  resource "command" "tomcat 8080" {
    start  = ["/etc/ha.d/resource.d/tomcat", "8080", "start"]
    stop   = ["/etc/ha.d/resource.d/tomcat", "8080", "stop"]
    status = ["/etc/ha.d/resource.d/tomcat", "8080", "status"]
    user   = "root"
  }

  resource "command" "portblock tcp 80 block" {
    start  = ["/etc/ha.d/resource.d/portblock", "tcp", "80", "block", "start"]
    stop   = ["/etc/ha.d/resource.d/portblock", "tcp", "80", "block", "stop"]
    status = ["/etc/ha.d/resource.d/portblock", "tcp", "80", "block", "status"]
    user   = "root"
  }
}
