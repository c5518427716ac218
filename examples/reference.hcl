# Every option of lvsd: what it does, its range and its default. This is a file
# to look things up in, not a configuration to start from: that is lvsd.hcl, and
# pair/, nat/, tunnel/ and direct/ hold whole clusters.
#
# A configuration is this one file or a directory whose *.hcl are read together.
# Every director reads the same files. Text stands in quotes, durations are text
# with a unit ("250ms", "2s", "5m"), counts are numbers. A block with more than
# one argument takes several lines. Addresses are never looked up by name.

# ---- Values that are used more than once

# Any number of locals blocks, in any file. An expression uses local.X, the
# node's name as node.name (the host's name up to its first dot, or --node), an
# environment variable as env.X, and functions: abs can ceil chomp cidrhost
# cidrsubnet coalesce compact concat contains distinct element file flatten
# floor format formatlist index join jsondecode keys length lookup lower max
# merge min parseint range regex regexall regexreplace replace reverse slice
# sort split substr tobool tolist tomap tonumber toset tostring trim trimprefix
# trimspace trimsuffix try upper values zipmap. range() gives at most 1024
# numbers, and a local holds at most 1048576 bytes or elements.

# Names for values that are used more than once, in any file: local.X.
locals {
  directors = { lvs1 = "10.13.0.15", lvs2 = "10.13.0.16" }
  mirrors   = [for i in range(1, 5) : cidrhost("192.168.2.0/24", i)]
}

# ---- The daemon

# What concerns the daemon as a whole. There is at most one such block, and a
# change of it takes effect at the next start.
director {
  # Serve metrics and health by HTTP, read only. Without this block nothing is
  # served.
  http {
    # The address and port to listen on. ":9112" is every address of this
    # machine.
    # An address and a port; no default.
    listen = "127.0.0.1:9112"
  }

  # How long a virtual router waits at most, after the start, for the first
  # IPVS table and the first result of every check. Lengthen it where checks
  # take long, so that a director takes over only when it knows which servers
  # are up.
  # 0s to 1h; default 10s.
  start_delay = "10s"

  # How many probes run at one time. Others wait, and their timeout does not
  # run yet. Lower it where the director may open few sockets.
  # 1 to 65536; default 4096.
  probes_in_flight = 4096

  # Treat every row of the IPVS table as this daemon's and delete those that
  # the configuration does not have. Set it where nothing else uses IPVS on
  # this machine.
  # Default false.
  exclusive_table = false

  # Leave the IPVS table as it is when the daemon stops, so that connections go
  # on. With false the daemon removes its rows.
  # Default true.
  keep_table = true
}

# ---- Virtual addresses

# Virtual addresses that are on exactly one of the directors (VRRP, RFC 9568).
# The label is a name of your own.
virtual_router "outside" {
  # The network interface on which adverts are sent and heard, and which gets
  # the addresses.
  # A name of up to 15 bytes; no default.
  interface = "eth0"

  # The virtual router's id (VRID): the same on all directors, and different
  # from that of every other virtual router on the network.
  # 1 to 255; no default.
  id = 51

  # The version of VRRP. Version 2 (RFC 3768) is for IPv4 and for peers that do
  # not speak version 3.
  # 2 to 3; default 3.
  version = 3

  # The living director with the highest priority becomes Master (RFC 9568
  # calls it Active). 255 is for the owner of the addresses.
  # 1 to 255; default 100.
  priority = { lvs1 = 150, lvs2 = 100 }[node.name]

  # The time between two adverts (Advertisement_Interval). A dead Master is
  # replaced after three intervals and up to one more. It has steps of 10ms,
  # and with version 2 it is whole seconds up to 255s.
  # 10ms to 40.95s; default 1s.
  advert_interval = "1s"

  # Take over from a living Master of lower priority (Preempt_Mode). With false
  # the addresses stay where they are until their director fails.
  # Default true.
  preempt = true

  # How long to wait before taking over from such a Master, from the first of
  # its adverts that is heard. Lengthen it where a director that has just
  # started needs time to warm up.
  # 0s to 1000s; default 0s.
  preempt_delay = "0s"

  # The virtual addresses, all of one family, each with its prefix length or
  # alone as /32 or /128. The other directors must list the same. The first
  # IPv6 address is link-local. There are at most 255, with IPv6 90.
  # A list; no default.
  addresses = ["10.13.0.200/24", "10.13.0.201/24"]

  # An address that moves along with the others and is not advertised, of any
  # family. The label is the address.
  extra_address "192.168.1.254/24" {
    # The network interface that gets the address.
    # A name of up to 15 bytes; default the router's.
    interface = "eth1"
  }
  extra_address "192.168.2.254/24" { interface = "eth1" }

  # The addresses of the other directors, for networks without multicast:
  # adverts go to these addresses, and only theirs are heard.
  # A list; default multicast to 224.0.0.18 or ff02::12.
  peers = [for name, address in local.directors : address if name != node.name]

  # The address that adverts come from.
  # An address; default the interface's first address that is not virtual, with
  # IPv6 its link-local one.
  source = local.directors[node.name]

  # While what is tracked fails, this director stands back. The router's own
  # interface is always tracked.
  #   track "interface"  The interface has no carrier.
  track "interface" "eth1" {}

  # Add the addresses with a lifetime that lvsd renews, so that the kernel
  # removes them from a director whose processes are all gone.
  # Default true.
  lease = true
}

# ---- Virtual services. One file for each is a good habit.

# A service that the directors spread over real servers. The label is a name of
# your own.
virtual_service "web" {
  # The virtual address at which clients reach the service. A virtual_router
  # should hold it.
  # An address; no default.
  address = "10.13.0.200"

  # The port at which clients reach the service. 0 is every port, and needs a
  # persistence block.
  # 0 to 65535; no default.
  port = 80

  # The protocol of the service.
  # "tcp", "udp" or "sctp"; default "tcp".
  protocol = "tcp"

  # Which of the kernel's schedulers chooses a server for a new connection. rr,
  # lc and dh look at a weight only to see whether it is 0.
  # "rr", "wrr", "lc", "wlc", "lblc", "lblcr", "dh", "sh", "mh", "sed", "nq",
  # "fo", "ovf" or "twos"; default "wlc".
  scheduler = "mh"

  # Flags of the scheduler. sh and mh have "fallback" (choose another server
  # where the first choice is down) and "port" (the client's port counts too),
  # others "flag-1" to "flag-3".
  # A list; default none.
  scheduler_flags = ["fallback", "port"]

  # How packets reach the servers. The servers must be prepared for it, and
  # other programs have other defaults, so it must be said.
  # "nat", "direct" or "tunnel"; no default.
  #   "nat"     The director rewrites packets both ways. It is the servers'
  #             default route, and net.ipv4.ip_forward is on.
  #   "direct"  Packets go to the server's MAC address. The servers have the
  #             virtual address on lo and do not answer ARP for it (arp_ignore
  #             = 1, arp_announce = 2).
  #   "tunnel"  Packets are wrapped in others. The servers have the virtual
  #             address on the end of a tunnel and answer the clients
  #             themselves.
  forward = "nat"

  # Whether a new server waits for the first result of its checks ("check") or
  # serves at once until it fails ("up").
  # "check" or "up"; default "check".
  initial = "check"

  # Send the connections of one client to one server. Without this block each
  # connection is scheduled by itself.
  persistence {
    # How long after its last connection a client is remembered, in whole
    # seconds.
    # 1s to 31 days; default 5m.
    timeout = "300s"

    # Clients of one network of this prefix length count as one, for clients
    # that come over several proxies. "255.255.255.0" is 24.
    # 1 to 32, with IPv6 1 to 128; default the whole address.
    netmask = 32
  }

  # What a server must pass to be up, and of several checks all. A real_server
  # with checks of its own does without these. The default is check "tcp" {}
  # for a TCP service with a port, and check "ping" {} for others.
  #   check "tcp"    A connection is established.
  #   check "http"   A request is answered as expected.
  #   check "https"  The same by TLS.
  #   check "ping"   An ICMP echo is answered.
  #   check "none"   The server is always up; there are no arguments.
  check "https" {
    # The time from the start of one probe to the start of the next. A server
    # that refuses connections is asked again after a quarter of it, up to ten
    # times in a row.
    # 10ms to 24h; default 2s.
    interval = "2s"

    # How long the whole probe may take, with connecting and reading. It is not
    # longer than the interval.
    # 1ms to interval; default 1s, or the interval where that is shorter.
    timeout = "1s"

    # How many probes in a row must pass to bring a server up.
    # 1 to 1000; default 2.
    rise = 2

    # How many probes in a row must fail to bring a server down. Lower it to
    # react faster, raise it where servers are slow at times.
    # 1 to 1000; default 3.
    fall = 3

    # The port to try, where it is not the one that clients reach. A service
    # without a port of its own needs it.
    # Only with "tcp", "http", "https". 1 to 65535; default the server's.
    port = 443

    # The method of the request.
    # Only with "http", "https". Default "GET".
    method = "GET"

    # The path of the request, with the query if there is one. Use one that
    # fails when the service behind it does.
    # Only with "http", "https". Default "/".
    path = "/health?from=director"

    # The Host header, for servers that have several sites.
    # Only with "http", "https". Default the server's address and port.
    host = "www.example.org"

    # Further headers of the request.
    # Only with "http", "https". A map; default none.
    headers = { Accept = "text/html" }

    # Which answers pass.
    # Only with "http", "https".
    expect {
      # Status codes that pass, and ranges of them: ["200-299", 304].
      # A list; default ["200-299"].
      status = ["200-299", 304]

      # A regular expression (RE2) that the first 256 KiB of the body must
      # match.
      # Default none, the body is not read.
      body = "in (good )?order"
    }

    # How the server's certificate is checked.
    # Only with "https".
    tls {
      # The name that the certificate must carry.
      # Default host, or else the address.
      server_name = "www.example.org"

      # Check the certificate. With false any certificate passes.
      # Default true.
      verify = true

      # A file of certificates (PEM) to trust in the place of the system's. A
      # relative path starts at the configuration's directory.
      # A path; default the system's certificates.
      # ca_file = "ca.pem"
    }
  }

  # A server. The label is its address, or a name of your own.
  real_server "compute-0-0" {
    # The server's address.
    # An address; default the label.
    address = "192.168.1.4"

    # The server's port. Only forward = "nat" can have another than the
    # service's. With firewall_mark the client's port stays where none is
    # given.
    # 1 to 65535; default the service's.
    port = 8080

    # The server's share of the connections in relation to the others'. With 0
    # it gets no new ones, and those that it has go on.
    # 0 to 2147483647; default 1.
    weight = 3

    # With this many connections the server gets no new ones. 0 is no limit.
    # Set it where a server fails under more load than it can bear.
    # 0 to 4294967295; default 0.
    upper_threshold = 1000

    # With fewer connections than this a server that reached upper_threshold
    # gets new ones again. 0 is three quarters of upper_threshold.
    # 0 to 4294967295; default 0.
    lower_threshold = 800

    # Whether this server waits for the first result of its checks, where that
    # is not as the service says.
    # "check" or "up"; default the service's.
    initial = "up"

    # What this server must pass to be up, in the place of the service's
    # checks.
    check "tcp" {}
  }

  real_server "192.168.1.5" {}

  # Blocks can be generated: here a real_server for each of a list.
  dynamic "real_server" {
    for_each = local.mirrors
    labels   = [real_server.value]
    content {
      weight = 2
    }
  }

  # A destination that is in the table exactly while no real server with a
  # weight above 0 is, such as a page that says sorry. It is not checked.
  fallback {
    # The address of the destination. With NAT it can't be a loopback address.
    # An address; no default.
    address = "10.13.0.200"

    # The server's port. Only forward = "nat" can have another than the
    # service's. With firewall_mark the client's port stays where none is
    # given.
    # 1 to 65535; default the service's.
    port = 8081
  }
}

virtual_service "sip" {
  address  = "10.13.0.201"
  port     = 5060
  protocol = "udp"
  forward  = "tunnel"

  # With UDP: schedule every packet by itself, also those of one client and
  # port. Set it where one client sends many independent requests, such as DNS.
  # Default false.
  one_packet = true

  persistence {
    # What makes a client, where it is not the address: with "sip", SIP over
    # UDP, it is the Call-ID.
    # "sip"; default none.
    engine = "sip"
  }

  # How packets are wrapped where forward is "tunnel". Without this block it is
  # IP in IP.
  tunnel {
    # How packets are wrapped: IP in IP, GUE (UDP) or GRE. The servers must
    # expect the same.
    # "ipip", "gue" or "gre"; default "ipip".
    type = "gue"

    # The UDP port on which the servers expect GUE packets. Only type "gue" has
    # it, and needs it.
    # 1 to 65535; no default.
    port = 5555

    # The checksum of the outer packet: "plain" is for gue and gre, "remote"
    # (remote checksum offload) for gue.
    # "none", "plain" or "remote"; default "none".
    checksum = "plain"
  }

  real_server "192.168.1.4" {}

  real_server "192.168.1.5" {
    # How packets reach this server, where that is not as the service says.
    # "nat", "direct" or "tunnel"; default the service's.
    forward = "direct"
  }

  real_server "192.168.1.6" {
    # How packets to this server are wrapped, in the place of the service's
    # tunnel block.
    tunnel {
      type = "gre"
    }
  }

  fallback {
    address = "192.168.1.7"

    # How packets reach this server, where that is not as the service says.
    # "nat", "direct" or "tunnel"; default the service's.
    forward = "tunnel"

    # How packets to this server are wrapped, in the place of the service's
    # tunnel block.
    tunnel {
      type = "ipip" # as in a service; default the service's
    }
  }
}

# A service by firewall mark: the packets that a firewall rule marks, whatever
# their address and port, such as all ports of one protocol.
virtual_service "ftp" {
  # In the place of address, port and protocol: the service is whatever packets
  # a firewall rule marks with this number, such as those of several ports.
  # 1 to 4294967295; default none.
  firewall_mark = 7

  # With firewall_mark: which packets with the mark are meant.
  # "ipv4" or "ipv6"; default "ipv4".
  family  = "ipv4"
  forward = "nat"

  persistence {}

  check "tcp" {
    port = 21 # needed here: the service has no port
  }

  real_server "192.168.1.4" {} # without port the client's stays
}
