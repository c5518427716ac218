# Every option, each with another value than its default.
director {
  http {
    listen         = "[::1]:9112"
    server_metrics = true
  }
  ipvs {
    tcp_timeout = "10m"
    tcp_fin_timeout = "1m"
    udp_timeout = "90s"
    expire_nodest_conn = true
    expire_quiescent_template = true
    conn_reuse_mode = 0
    conntrack = true
    snat_reroute = false
    nat_icmp_send = true
    pmtu_disc = false
    schedule_icmp = true
    sloppy_tcp = true
    sloppy_sctp = true
    ignore_tunneled = true
    cache_bypass = true
    backup_only = true
    drop_entry = 1
    drop_packet = 1
    secure_tcp = 1
    amemthresh = 2048
    am_droprate = 20
    run_estimation = false
    est_cpulist = "0-1"
    est_nice = -5
    sync_threshold = "0 50"
    sync_refresh_period = 10
    sync_retries = 2
    sync_persist_mode = true
    sync_ports = 4
    sync_qlen_max = 1000
    sync_sock_size = 65536
    sync_version = 0
  }
  watchdog {
    device  = "/dev/watchdog1"
    timeout = "20s"
  }
  start_delay      = "3s"
  probes_in_flight = 100
  probes_per_second = 5000
  isolation        = false
  certificate_days = 30
  exclusive_table  = true
  keep_table       = false
  log_level        = "debug"
  marks            = "0x7000-0x7fff"
  keeper_processors = "0,2-3"
}

virtual_router "outside" {
  interface       = "eth0"
  carrier         = "ignore"
  link_up_delay   = "30s"
  id              = 51
  version         = 2
  priority        = { lvs1 = 150, lvs2 = 100 }[node.name]
  advert_interval = "3s"
  missed_adverts  = 4
  preempt         = true
  preempt_delay   = "1m"
  addresses       = ["10.13.0.200/24", "10.13.0.201"]
  peers           = ["10.13.0.16"]
  ttl             = 254
  min_ttl         = 253
  max_ttl         = 254
  source          = "10.13.0.15"
  virtual_mac {
    device                 = "vrrp.51"
    adverts_from_interface = true
  }
  insist          = true
  accept          = false
  authentication { password = "secret12" }
  lease           = false
  extra_address "192.168.1.254/24" { interface = "eth1" }
  address "10.13.0.202/24" {
    label     = "eth0:web"
    scope     = "link"
    broadcast = "10.13.0.255"
    preferred = false
    noprefixroute = true
  }
  extra_address "2001:db8::254/64" {
    preferred     = true
    noprefixroute = true
  }
  address "10.255.0.1" { peer = "10.255.0.2" }
  extra_address "10.255.0.3" { peer = "10.255.0.4" }
  extra_address "172.16.0.254/24" {
    interface = "eth3"
    track     = false
    label     = "eth3:gateway"
    scope     = "site"
    broadcast = "172.16.0.255"
  }
  route "10.9.0.0/16" {
    type      = "unicast"
    via       = "10.13.0.1"
    interface = "eth0"
    source    = "10.13.0.200"
    metric    = 100
    table     = 1000
    scope     = "site"
    onlink    = true
    mtu            = 1400
    advertised_mss = 1360
    hop_limit      = 32
    window         = 65535
    track     = false
  }
  announce {
    repeat     = 5
    interval   = "10ms"
    refresh    = "60s"
    interfaces = ["eth2", "eth3"]
  }
  route "default" { via = "2001:db8::1" }
  route "10.10.0.0/16" { type = "blackhole" }
  rule {
    priority      = 100
    from          = "10.13.0.200"
    to            = "10.9.0.0/16"
    iif           = "eth0"
    oif           = "eth1"
    firewall_mark = 1
    firewall_mask = 255
    table         = 1000
    family        = "ipv4"
  }
  rule {
    priority               = 102
    protocol               = "tcp"
    source_port            = "1024-65534"
    destination_port       = "443"
    table                  = 254
    suppress_prefix_length = 0
  }
  rule {
    priority = 101
    from     = "2001:db8::/32"
    table    = 1000
  }
  track "interface" "eth1" {}
  track "interface" "eth2" {
    weight     = 10
    reverse    = true
    up_after   = "10s"
    down_after = "2s"
  }
  track "interface" "eth4" { weight = -20 }
  track "ping" "gateways" { weight = -30 }
  track "file" "load" { weight = -1 }
  track "file" "maintenance" {
    path    = "/etc/lvsd/maintenance"
    number  = false
    reverse = true
  }
  track "process" "haproxy" {}
  track "exec" "database" { weight = 7 }
  track "exec" "fabric" {
    run           = ["/etc/lvsd/programs/fabric"]
    user          = "nobody"
    kill_children = true
    initial       = "met"
  }
  track "process" "ntpd" {
    program   = "chronyd"
    arguments = ["-F", "1"]
    owner     = "_chrony"
    maximum   = 2
    weight    = 3
  }
  track "ping" "dns" {
    addresses = ["10.13.0.53"]
    interval  = "2s"
    timeout   = "1500ms"
    rise      = 6
    fall      = 7
  }
  track "service" "web" {
    minimum = "75%"
    weight  = -10
  }
  on "master" {
    run           = ["/etc/lvsd/hooks/master", "a b", "$HOME"]
    user          = "nobody"
    timeout       = "5s"
    kill_children = true
  }
  on "any" {
    run    = ["/etc/lvsd/hooks/any"]
    assert = "45s"
  }
  stream "vip" { run = ["/etc/lvsd/hooks/collect", "vip"] }
  on "master" {
    run        = ["/etc/lvsd/hooks/fence"]
    before     = true
    at_start   = true
    on_failure = "stop"
  }
}

stream "all" {
  run           = ["/etc/lvsd/hooks/collect", "a b"]
  user          = "nobody"
  stop_timeout  = "7s"
  kill_children = true
}

condition "file" "load" {
  path     = "/run/load"
  number   = true
  interval = "3s"
}

condition "process" "haproxy" {
  owner     = "haproxy"
  program   = "/usr/sbin/haproxy"
  arguments = ["-f", "/etc/haproxy/haproxy.cfg"]
  minimum   = 2
  maximum   = 4
  interval  = "4s"
}

condition "exec" "database" {
  run           = ["/etc/lvsd/programs/database", "--primary"]
  user          = "postgres"
  timeout       = "3s"
  kill_children = true
  interval      = "5s"
  rise          = 4
  fall          = 5
  initial       = "unmet"
}

condition "ping" "gateways" {
  addresses  = ["10.13.0.1", "10.13.0.2", "2001:db8::1"]
  minimum    = 2
  interval   = "500ms"
  timeout    = "200ms"
  rise       = 5
  fall       = 4
  up_after   = "3s"
  down_after = "2s"
}

condition "interface" "eth4" {
  up_after   = "1m"
  down_after = "1s"
}

virtual_router "lan" {
  interface       = "eth3"
  id              = 52
  priority        = { lvs1 = 150, lvs2 = 100 }[node.name]
  multicast_group = "224.0.0.114"
  addresses       = ["172.16.0.200/24"]
}

sync_group "nat" {
  routers = ["outside", "lan"]
  track "interface" "eth4" {}
  on "stop" { run = ["/etc/lvsd/hooks/stop"] }
  stream "pair" { run = ["/etc/lvsd/hooks/collect"] }
}

sync_group "keyed" {
  routers = ["receiving", "windowed"]
  resource "systemd" "nginx.service" {}
}

virtual_service "web" {
  drain_timeout = "90s"
  address         = "10.13.0.200"
  port            = 443
  protocol        = "tcp"
  scheduler       = "mh"
  scheduler_flags = ["fallback", "port"]
  panic_threshold = "60%"
  panic_for       = "10s"
  min_healthy     = 2
  recover_healthy = "3"
  up_after        = "7s"
  manual_resume   = true
  suspicion       = true
  on "down" {
    run      = ["/etc/lvsd/hooks/servers", "down"]
    at_start = true
    at_stop  = true
  }
  on "quorum_reached" {
    run           = ["/etc/lvsd/hooks/quorum"]
    user          = "nobody"
    timeout       = "5s"
    kill_children = true
  }
  forward         = "nat"
  initial         = "up"
  on_failure      = "drain"
  persistence {
    timeout = "1h"
    netmask = "255.255.255.0"
  }
  check "https" {
    interval = "5s"
    timeout  = "90s"
    rise     = 4
    fall     = 5
    fast_interval = "100ms"
    down_interval = "30s"
    idle_interval = "1m"
    unknown_after = "2m"
    port     = 8443
    version  = "2"
    method   = "POST"
    path     = "/health?deep=1"
    host     = "www.example.org"
    headers  = { X-Probe = "lvsd", Accept = "text/plain" }
    send     = "{\"deep\": true}"
    follow_redirects = 2
    proxy         = true
    user          = "lvsd"
    password_file = "/etc/lvsd/web.password"
    expect {
      status  = [304, "200-204", "301"]
      headers = { Content-Type = "^text/", Via = "" }
      body    = "^ok$"
      not     = "(?i)error"
      sha256  = "689F6A627384C7DCB2DCC1487E540223E77BDF9DCD0D8BE8A326EDA65B0CE9A4"
      min_bytes = 2
      max_bytes = 1048576
    }
    tls {
      server_name = "www.example.org"
      verify      = false
      ca_file     = "../ca.pem"
      min_version = "1.0"
      client {
        certificate_file = "../ca.pem"
        key_file         = "/etc/lvsd/client.key"
      }
    }
  }
  check "grpc" {
    service = "orders.v1.Orders"
    host    = "orders.example.org"
    tls {}
  }
  check "grpc" {}
  check "tls" {
    via { proxy_protocol = "v2" }
    client { key_file = "/etc/lvsd/both.pem" }
  }
  check "http" {
    user                = "lvsd"
    password_credential = "web"
  }
  check "ping" {}
  check "tcp" {
    half_open = false
    send      = "PING\r\n"
    quit      = "hex:51 55 49 54 0d0a"
    expect {
      pattern = "^\\+PONG"
      not     = "^-"
    }
    tls { server_name = "redis.example.org" }
  }
  check "tls" {
    server_name = "www.example.org"
    verify      = false
    ca_file     = "../ca.pem"
    min_version = "1.3"
  }
  check "redis" {
    user          = "lvsd"
    password_file = "/etc/lvsd/redis.password"
    role          = "master"
    tls {}
  }
  check "memcached" {
    user                = "lvsd"
    password_credential = "memcached"
    tls { verify = false }
  }
  check "mysql" {
    user          = "lvsd"
    password_file = "/etc/lvsd/mysql.password"
    database      = "shop"
    query         = "SELECT 1"
    expect { pattern = "^1" }
    tls {}
  }
  check "postgres" {
    user                = "lvsd"
    password_credential = "postgres"
    database            = "shop"
    query               = "SELECT 1"
    expect { not = "0" }
    tls { server_name = "db.example.org" }
  }
  check "ldap" {
    user          = "cn=lvsd,dc=example,dc=org"
    password_file = "/etc/lvsd/ldap.password"
    base          = "dc=example,dc=org"
    scope         = "sub"
    filter        = "(&(objectClass=person)(uid=lvsd))"
    attribute     = "description"
    expect { text = "ready" }
    tls { starttls = true }
  }
  check "radius" {
    user              = "lvsd"
    password_file     = "/etc/lvsd/radius.password"
    secret_credential = "radius"
    answer            = "reject"
  }
  check "radius" { secret_file = "/etc/lvsd/radius.secret" }
  check "udp" {
    send  = "hex:ff 00"
    reply = true
    expect { text = "pong" }
    via {
      source        = "192.168.1.1"
      source_ports  = "40000-40999"
      interface     = "eth1"
      firewall_mark = 7
      ttl           = 1
      dscp          = 46
    }
  }
  check "smtp" {
    name      = "lvs1.example.org"
    expect { greeting = 220 }
    tls {
      starttls    = true
      server_name = "mail.example.org"
      verify      = false
      ca_file     = "../ca.pem"
      min_version = "1.3"
    }
  }
  check "smtp" { port = 465 }
  check "imap" {
    user          = "lvsd"
    password_file = "/etc/lvsd/mail.password"
    tls { starttls = true }
  }
  check "pop3" {
    user                = "lvsd"
    password_credential = "mail"
    tls {}
  }
  check "ftp" {
    user = "anonymous"
    file = "pub/lvsd.txt"
    expect { pattern = "well" }
    tls { starttls = true }
  }
  check "ftp" {
    user          = "lvsd"
    password_file = "/etc/lvsd/ftp.password"
  }
  check "nntp" {
    user          = "lvsd"
    password_file = "/etc/lvsd/news.password"
    group         = "comp.lang.go"
    tls {}
  }
  check "dns" {
    name      = "Example.org"
    type      = "SOA"
    transport = "tcp"
    expect {
      code    = "NOERROR"
      answers = ["ns.example.org admin.example.org. 1 2 3 4 5"]
      primary = "192.0.2.53:5353"
    }
  }
  real_server "compute-0-0" {
    address         = "192.168.1.4"
    port            = 8443
    weight          = 2147483647
    tier            = 2
    upper_threshold = 1000
    lower_threshold = 900
    initial         = "check"
    on_failure      = "drain_timeout"
    check "tcp" { port = 22 }
    on "up" { run = ["/etc/lvsd/hooks/servers", "first"] }
    check "exec" {
      run           = ["/etc/lvsd/programs/load", "--of", "web"]
      user          = "nobody"
      timeout       = "4s"
      kill_children = true
      status_weight = true
    }
    check "file" {
      path   = "/run/lvsd/compute-0-0"
      weight = "percent"
    }
    check "file" {
      path   = "/run/lvsd/maintenance"
      absent = true
    }
    check "file" {
      path   = "/run/lvsd/weight"
      weight = "absolute"
    }
    check "agent" {
      port     = 5555
      send     = "web\n"
      required = true
    }
    check "sip" {
      port = 5060
      uri  = "sip:example.org"
      from = "sip:lvsd@example.org"
      expect { status = ["200-299", 404] }
    }
    check "sip" {
      port      = 5060
      transport = "tcp"
    }
    check "sip" {
      port = 5061
      tls { server_name = "sip.example.org" }
    }
    check "ntp" {
      port     = 123
      interval = "16s"
      expect {
        stratum = 3
        offset  = "250ms"
      }
    }
    check "any" {
      check "tcp" {
        address = "192.168.1.99"
        port    = 8001
      }
      check "tcp" { port = 8002 }
    }
    check "any" {
      at_least = 2
      check "ping" {}
      check "all" {
        check "tcp" { port = 8003 }
        check "tcp" { port = 8004 }
      }
      check "tcp" { port = 8005 }
    }
  }
  real_server "192.168.1.5" { upper_threshold = 4294967295 }
  real_server "far" {
    address         = "2001:db8::7"
    upper_threshold = 1
    forward         = "tunnel"
    tunnel {
      type     = "gue"
      port     = 5555
      checksum = "remote"
    }
    check "none" {}
  }
  fallback {
    address   = "10.13.0.15"
    port      = 8080
    when_full = true
  }
}

virtual_service "sip" {
  address    = "10.13.0.201"
  port       = 5060
  protocol   = "udp"
  scheduler  = "wrr"
  forward    = "tunnel"
  one_packet = true
  tunnel {
    type     = "gre"
    checksum = "plain"
  }
  persistence { engine = "sip" }
  real_server "192.168.1.4" {
    check "tcp" {
      via { forwarded = true }
    }
  }
  fallback {
    address = "127.0.0.1"
    forward = "direct"
  }
}

virtual_service "every-port" {
  address   = "10.13.0.201"
  port      = 0
  scheduler   = "sed"
  ha_suspend  = true
  slow_start  = "2m"
  min_healthy = "weight 2"
  forward   = "nat"
  persistence {}
  real_server "192.168.1.4" {}
  real_server "192.168.1.5" {
    port   = 80
    weight = 5
  }
  fallback {
    address = "192.168.1.7"
    forward = "tunnel"
    tunnel {
      type     = "gre"
      checksum = "plain"
    }
  }
}

virtual_service "stream" {
  address         = "10.13.0.201"
  port            = 9899
  protocol        = "sctp"
  scheduler_flags = ["flag-3"]
  forward         = "direct"
  real_server "192.168.1.4" {}
  fallback { address = "192.168.1.8" }
  fallback {
    address = "192.168.1.9"
    check "tcp" {
      port = 80
      fall = 1
    }
    check "ping" {}
  }
}

defaults {
  check "*" { fall = 4 }
  check "http" {
    path = "/health"
    expect {
      text = "hex: 6f 6b"
      md5  = "444bcb3a3fcf8389296c49467f27e1d6"
    }
  }
}

virtual_service "several" {
  addresses  = ["10.13.0.202-10.13.0.203"]
  ports      = [81, "8000-8009"]
  protocols  = ["tcp", "udp"]
  marked     = true
  source_nat = "10.13.0.15"
  forward    = "nat"
  real_server "192.168.1.4" {}
}

virtual_service "marked" {
  firewall_mark = 7
  forward       = "nat"
  check "http" { port = 80 }
  real_server "192.168.1.4" {}
  real_server "192.168.1.5" { port = 8080 }
}

virtual_service "marked-ipv6" {
  firewall_mark = 4294967295
  family        = "ipv6"
  forward       = "direct"
  real_server "2001:db8::4" {}
}

virtual_router "signed" {
  preempt   = false
  interface = "eth0"
  id        = 52
  addresses = ["10.13.0.210"]
  authentication {
    key "1" { file = "/etc/lvsd/vrrp.key" }
    key "2" { credential = "vrrp" }
    signer = 2
    mode   = "permissive"
    replay = "order"
  }
  resource "mount" "/srv/my data" {
    device  = "UUID=0e2f"
    type    = "ext4"
    options = ["noatime", "ro"]
    timeout = "5s"
  }
  resource "systemd" "apache2.service" { timeout = "6s" }
  resource "command" "volume" {
    start   = ["/etc/lvsd/resources/volume", "start"]
    stop    = ["/etc/lvsd/resources/volume", "stop"]
    status  = ["/etc/lvsd/resources/volume", "status"]
    user    = "nobody"
    timeout = "7s"
  }
}

virtual_router "receiving" {
  preempt         = false
  interface       = "eth0"
  id              = 53
  addresses       = ["10.13.0.211"]
  advert_interval = "2500ms"
  authentication {
    key "1" { file = "/etc/lvsd/vrrp.key" }
    mode = "receive-only"
  }
}

virtual_router "windowed" {
  preempt   = false
  interface = "eth0"
  id        = 54
  addresses = ["10.13.0.212"]
  authentication {
    key "7" { file = "/etc/lvsd/vrrp.key" }
    window = "3s"
  }
}

static {
  address "10.14.0.15/24" {
    interface = "eth4"
    label     = "eth4:a"
    scope     = "link"
    broadcast = "10.14.0.255"
  }
  address "2001:db8:14::15/64" { interface = "eth4" }
  route "10.15.0.0/16" {
    type      = "unicast"
    via       = "10.14.0.1"
    interface = "eth4"
    source    = "10.14.0.15"
    metric    = 100
    table     = 1001
    scope     = "site"
    onlink    = true
  }
  rule {
    priority = 99
    table    = 1001
    from     = "10.14.0.15/32"
  }
}
