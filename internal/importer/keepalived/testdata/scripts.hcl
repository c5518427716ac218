virtual_router "one" {
  interface = "eth0"
  id        = 1
  version   = 2
  priority  = 120
  addresses = ["10.0.0.1/24"]
  track "interface" "eth1" { weight = -30 }

  track "exec" "web" {
    weight  = 15
    reverse = true
  }

  track "exec" "port" {
    run  = ["/bin/bash", "-c", "</dev/tcp/127.0.0.1/80"]
    user = "root"
    rise = 1
    fall = 1
  }

  track "file" "drain" {
    path   = "/run/drain"
    number = true
    weight = -2
  }

  track "process" "sshd" {
    program    = "/usr/sbin/sshd"
    arguments  = ["-D"]
    maximum    = 3
    up_after   = "1500ms"
    down_after = "1500ms"
  }

  on "master" {
    run  = ["/etc/keepalived/m.sh"]
    user = "nobody"
  }

  on "backup" {
    run  = ["/etc/keepalived/b.sh", "two words"]
    user = "root"
  }

  on "fault" {
    run  = ["/usr/bin/sync-state", "fault"]
    user = "nobody"
  }

  on "stop" {
    run  = ["/etc/keepalived/s.sh"]
    user = "nobody"
  }
}

virtual_router "two" {
  interface = "eth2"
  id        = 2
  version   = 2
  addresses = ["10.0.1.1/24"]
  track "interface" "eth1" {}
  track "exec" "web" { weight = -5 }
}

condition "exec" "web" {
  run      = ["/usr/bin/curl", "-sf", "http://127.0.0.1/with space"]
  user     = "nobody"
  timeout  = "2s"
  interval = "500ms"
  rise     = 3
  fall     = 4
}

condition "interface" "eth1" {
  up_after   = "3s"
  down_after = "2s"
}
