# Every option of lvsd, with its unit, its default and its meaning. It is a
# list to look things up in, not a configuration to start from: that is
# lvsd.hcl; pair/, nat/, tunnel/ and direct/ hold whole clusters.
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
locals {
  directors = { lvs1 = "10.13.0.15", lvs2 = "10.13.0.16" }
  mirrors   = [for i in range(1, 5) : cidrhost("192.168.2.0/24", i)]
}

# ---- The daemon. One block at most; a change takes effect at the next start.

director {
  # Where metrics and health are served by HTTP, read only. Default: no
  # http block, not at all. ":9112" is every address of this machine.
  http {
    listen = "127.0.0.1:9112" # address:port; no default
  }

  # 0s to 1h; default 10s. So long at most a virtual router waits for the first
  # table and the first result of every check.
  start_delay = "10s"

  # 1 to 65536; default 4096. So many probes run at one time; the others wait,
  # with their timeout not yet running.
  probes_in_flight = 4096

  # Default false. true: every row of the IPVS table is this daemon's, and
  # foreign ones are deleted.
  exclusive_table = false

  keep_table = true # default true. false: the daemon removes its rows when it stops
}

# ---- Virtual addresses that are on exactly one of the directors (VRRP). Any
# ---- number of blocks; the label is a name of your own.

virtual_router "outside" {
  interface = "eth0" # no default. Where adverts are sent and heard, and where the addresses live

  # 1 to 255; no default. VRID: the same on all directors, different from other
  # routers' on this network.
  id = 51

  version = 3 # 2 or 3; default 3. VRRP's version; 2 is for IPv4 and old peers (RFC 3768)

  # 1 to 254, or 255 for the addresses' owner; default 100. Priority: the
  # living director with the highest one becomes Master (RFC 9568: Active).
  priority = { lvs1 = 150, lvs2 = 100 }[node.name]

  # 10ms to 40.95s in steps of 10ms, with version 2 whole seconds up to 255s;
  # default 1s. Advertisement_Interval: a dead Master is replaced after three of
  # them and up to one more.
  advert_interval = "1s"

  # Default true. Preempt_Mode: take over from a living Master of lower
  # priority.
  preempt = true

  # 0s to 1000s; default 0s. Wait so long before that, from the first advert of
  # such a Master.
  preempt_delay = "0s"

  # No default. IPvX_Addresses, of one family: with a prefix length, or alone as
  # /32 or /128. The peers' lists must be the same. IPv6: the first one is
  # link-local.
  addresses = ["10.13.0.200/24", "10.13.0.201/24"]

  # Addresses that move along and are not advertised: of any family, on any
  # interface. Any number of blocks.
  extra_address "192.168.1.254/24" {
    interface = "eth1" # default: the router's
  }
  extra_address "192.168.2.254/24" { interface = "eth1" }

  # Default: multicast to 224.0.0.18 or ff02::12. With peers, adverts go to
  # these addresses, and only theirs are heard: for networks without multicast.
  peers = [for name, address in local.directors : address if name != node.name]

  # Default: the interface's first address that is not virtual; IPv6: the
  # link-local one. Where adverts come from.
  source = local.directors[node.name]

  # While this interface has no carrier, this director stands back. The router's
  # own interface is always tracked. Any number of blocks.
  track "interface" "eth1" {}

  # Default true. The addresses are leased: added with a lifetime that lvsd
  # renews, so that the kernel removes them from a director whose processes are
  # all gone.
  lease = true
}

# ---- Virtual services. Any number of blocks; one file for each is a good
# ---- habit. The label is a name of your own.

virtual_service "web" {
  address  = "10.13.0.200" # no default
  port     = 80            # 0 to 65535; no default. 0 is every port and needs persistence
  protocol = "tcp"         # "tcp", "udp" or "sctp"; default "tcp"

  # Default "wlc". The kernel's schedulers: rr wrr lc wlc lblc lblcr dh sh mh sed
  # nq fo ovf twos. rr, lc and dh know no weight but 0.
  scheduler = "mh"

  # Default: none. sh and mh: "fallback" (another server where the chosen one is
  # out), "port" (the client's port counts, too). Others: "flag-1" to "flag-3".
  scheduler_flags = ["fallback", "port"]

  # No default. How packets reach the servers:
  #   "nat"     the director rewrites both ways; the servers' default route is the director
  #   "direct"  to the server's MAC address; the servers have the address on lo, with arp_ignore
  #   "tunnel"  wrapped; the servers have the address on a tunnel's end
  forward = "nat"

  # "check" or "up"; default "check". A new server waits for its first result,
  # or serves at once until it fails.
  initial = "check"

  # Connections of one client go to one server. Default: no block, each
  # connection by itself.
  persistence {
    # 1s to 31 days, whole seconds; default 5m. So long after a client's last
    # connection.
    timeout = "300s"

    # 1 to 32, or 1 to 128 for IPv6; default the whole address. Clients of one
    # network of this size are one; "255.255.255.0" is 24.
    netmask = 32
  }

  # What a server must pass to be up; several blocks: all of them. A real_server
  # with a check of its own does without these. Default: check "tcp" {} with a
  # TCP service, check "ping" {} with others.
  #   check "tcp"    a connection is established
  #   check "http"   a request is answered as expected
  #   check "https"  the same by TLS
  #   check "ping"   an ICMP echo is answered
  #   check "none"   the server is always up; no arguments
  check "https" {
    interval = "2s" # 10ms to 24h; default 2s. From the start of one probe to the start of the next

    # 1ms to interval; default 1s, or the interval if that is shorter. One
    # deadline for the whole probe.
    timeout = "1s"

    # After a refused connection the next try comes in a quarter of the interval.
    rise = 2   # 1 to 1000; default 2. So many passed in a row bring a server up
    fall = 3   # 1 to 1000; default 3. So many failed in a row bring it down
    port = 443 # 1 to 65535; default the server's. Not with ping

    # Only with "http" and "https":
    method  = "GET"                    # default "GET"
    path    = "/health?from=director"  # default "/". With the query, if there is one
    host    = "www.example.org"        # default the server's address. The Host header
    headers = { Accept = "text/html" } # default none. Further headers

    expect {
      status = ["200-299", 304] # default ["200-299"]. Codes and ranges of codes that pass

      # Default: the body is not read. A regular expression (RE2) that its first
      # 256 KiB must match.
      body = "in (good )?order"
    }

    # Only with "https":
    tls {
      # Default host, else the address. The name that the certificate must
      # carry.
      server_name = "www.example.org"

      verify = true # default true. false: any certificate passes

      # Default: the system's. A file of certificates (PEM) to trust in their
      # place; a relative path starts at the configuration's directory.
      # ca_file = "ca.pem"
    }
  }

  # The label is a name of your own, or the address.
  real_server "compute-0-0" {
    address = "192.168.1.4" # default the label
    port    = 8080          # 1 to 65535; default the service's. Another one only by NAT
    weight  = 3             # 0 to 2147483647; default 1. Its share; 0 is no new connections

    # Connections; default 0, no limit. At so many it gets no new ones.
    upper_threshold = 1000

    # Connections; default 0: three quarters of upper_threshold. Below so many
    # it gets new ones again.
    lower_threshold = 800

    initial = "up" # default the service's

    check "tcp" {} # in place of the service's checks
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

  # In the table exactly while no real server with a weight above 0 is. It is
  # not checked.
  fallback {
    address = "10.13.0.200" # no default
    port    = 8081          # default the service's. Another one only by NAT
  }
}

virtual_service "sip" {
  address    = "10.13.0.201"
  port       = 5060
  protocol   = "udp"
  forward    = "tunnel"
  one_packet = true # default false. UDP only: every packet is scheduled by itself

  persistence {
    engine = "sip" # "sip"; default none. What is a client's identity: with SIP over UDP the Call-ID
  }

  # How a tunnel wraps packets. Default: no block, IP in IP.
  tunnel {
    type     = "gue"   # "ipip", "gue" or "gre"; default "ipip"
    port     = 5555    # 1 to 65535; no default. UDP port of GUE; not with the others
    checksum = "plain" # "none", "plain" (gue, gre) or "remote" (gue); default "none"
  }

  real_server "192.168.1.4" {}

  real_server "192.168.1.5" {
    forward = "direct" # default the service's
  }

  real_server "192.168.1.6" {
    # In place of the service's.
    tunnel {
      type = "gre"
    }
  }

  fallback {
    address = "192.168.1.7"
    forward = "tunnel" # default the service's
    tunnel {
      type = "ipip" # as in a service; default the service's
    }
  }
}

# A service by firewall mark: the packets that a firewall rule marks, whatever
# their address and port, such as all ports of one protocol.
virtual_service "ftp" {
  firewall_mark = 7      # 1 to 4294967295. In the place of address, port and protocol
  family        = "ipv4" # "ipv4" or "ipv6"; default "ipv4". Which packets with the mark
  forward       = "nat"

  persistence {}

  check "tcp" {
    port = 21 # needed here: the service has no port
  }

  real_server "192.168.1.4" {} # without port the client's stays
}
