# Every option of lvsd, with what it does, its range and its default. Use this
# file to look things up. To start a configuration of your own, copy lvsd.hcl;
# pair/, nat/, tunnel/ and direct/ are complete clusters.
#
# A configuration is a single file, or a directory whose *.hcl files are read
# together. All directors use the same files. Strings are quoted, durations are
# strings with a unit ("250ms", "2s", "5m"), counts are numbers. A block with
# more than one argument must be written on several lines. Addresses must be IP
# addresses; host names are never resolved.

# ---- Values that are used more than once

# There can be any number of locals blocks, in any file. Expressions can use
# local.X, the director's name as node.name (the host's name up to its first
# dot, or --node), an environment variable as env.X, and functions: abs can
# ceil chomp cidrhost cidrsubnet coalesce compact concat contains distinct
# element file flatten floor format formatlist index join jsondecode keys
# length lookup lower max merge min parseint range regex regexall regexreplace
# replace reverse slice sort split substr tobool tolist tomap tonumber toset
# tostring trim trimprefix trimspace trimsuffix try upper values zipmap.
# range() returns at most 1024 numbers, and a local value can have at most
# 1048576 bytes or elements.

# Names for values that are used more than once. They can be used in every
# file, as local.X.
locals {
  directors = { lvs1 = "10.13.0.15", lvs2 = "10.13.0.16" }
  mirrors   = [for i in range(1, 5) : cidrhost("192.168.2.0/24", i)]
}

# ---- The daemon

# Settings of the daemon as a whole. There can be only one such block.
director {
  # Serve metrics and health checks over HTTP, read-only. Without this block,
  # no HTTP server is started.
  http {
    # The address and port to listen on. ":9112" listens on every address of
    # this machine.
    # An address and a port; no default.
    listen = "127.0.0.1:9112"

    # Include eight metrics of each real server in /metrics. Without them,
    # there are only those of each service, with its traffic and the number of
    # its servers that are up. With 10,000 servers, they are 80,000 series.
    # Default: false.
    server_metrics = false
  }

  # Parameters of the kernel's IPVS in this network namespace, by the kernel's
  # names (net.ipv4.vs). Those that are not set here stay as they are. Those
  # that are set are set again when somebody else changes them, and get their
  # former values back when they are taken out of the configuration, or lvsd
  # stops.
  ipvs {
    # How long the kernel remembers an established TCP connection without
    # packets, in whole seconds. The kernel's default is 15m. A client that is
    # silent for longer is reset, so it should be longer than what the servers
    # allow.
    # 1s to 744h; default: as it is.
    tcp_timeout = "15m"

    # The same for a TCP connection of which one side has said that it ends.
    # The kernel's default is 2m.
    # 1s to 744h; default: as it is.
    tcp_fin_timeout = "2m"

    # The same for UDP: after that time, a client may be sent to another
    # server. The kernel's default is 5m.
    # 1s to 744h; default: as it is.
    udp_timeout = "5m"

    # When a real server leaves the IPVS table, end its connections at their
    # next packet: a UDP client is sent to another server, and a TCP client is
    # reset. With the kernel's default, 0, these packets are dropped until the
    # connection has timed out, after 5 minutes with UDP and 15 with TCP, or go
    # on to the server if it comes back meanwhile.
    # True or false; default: as it is.
    expire_nodest_conn = false

    # Send a client of a persistent service to another server once the one that
    # it is bound to has weight 0. With the kernel's default, 0, its new
    # connections go on to that server until the binding ends, so that one that
    # is drained may never be empty.
    # True or false; default: as it is.
    expire_quiescent_template = false

    # What becomes of a new connection from an address and port of an old one.
    # 1, the kernel's default, chooses a server anew where the old one is over
    # (TIME_WAIT by NAT; 2 and 3: FIN_WAIT, too, for direct routing). 0 sends
    # it to the server of the old one and, before Linux 5.16, makes
    # expire_nodest_conn have no effect.
    # 0 to 3; default: as it is.
    conn_reuse_mode = 1

    # Keep an entry of connection tracking for each connection of IPVS, for
    # rules of a firewall that ask for one, and for masquerading. It costs
    # memory and processor time for each connection, and nf_conntrack_max
    # bounds them all.
    # True or false; default: as it is.
    conntrack = true

    # Route what servers behind NAT answer as if it came from this director, so
    # that rules by its address count. The kernel's default is 1; without such
    # rules, 0 saves a look at the routes for each packet.
    # True or false; default: as it is.
    snat_reroute = true

    # Tell a real server behind NAT that sends packets of a connection which is
    # not in the table that its destination cannot be reached.
    # True or false; default: as it is.
    nat_icmp_send = false

    # Ask senders for smaller packets where theirs do not fit the way to the
    # real server. The kernel's default is 1. 0 fragments what goes by tunnel,
    # if the network drops those requests.
    # True or false; default: as it is.
    pmtu_disc = true

    # Begin a connection for an ICMP error, too, that is about none in the
    # table.
    # True or false; default: as it is.
    schedule_icmp = false

    # Begin a TCP connection with any packet, not only with a SYN: connections
    # go on after this director has taken over without their state, to whatever
    # server the scheduler chooses. Use it with scheduler "sh" or "mh", which
    # choose the same on both directors.
    # True or false; default: as it is.
    sloppy_tcp = false

    # Begin an SCTP association with any packet, too.
    # True or false; default: as it is.
    sloppy_sctp = false

    # Leave tunnelled packets alone that arrive here, where this director is a
    # real server by tunnel as well.
    # True or false; default: as it is.
    ignore_tunneled = false

    # Where a service for a transparent cache has no server left, send the
    # packets on to the address that they are for.
    # True or false; default: as it is.
    cache_bypass = false

    # Forward nothing by IPVS while this director's sync daemon is a backup,
    # and not a master. Other programs need it where the directors are real
    # servers of each other, by direct routing or tunnel, since packets would
    # loop; lvsd has such a service in the table of the Master alone. With it,
    # clients are refused for some milliseconds after a takeover, until the
    # daemon is a master.
    # True or false; default: as it is.
    backup_only = false

    # Whether connections that are half open are dropped at random, against
    # floods of SYNs. 0: never, 1: while memory is short, 3: always.
    # 0 to 3; default: as it is.
    drop_entry = 0

    # Whether packets for real servers are dropped at random. 0: never, 1:
    # while memory is short, 3: always.
    # 0 to 3; default: as it is.
    drop_packet = 0

    # Whether shorter timeouts are used for TCP connections that are not
    # established. 0: never, 1: while memory is short, 3: always.
    # 0 to 3; default: as it is.
    secure_tcp = 0

    # With how many free pages memory counts as short for these three. The
    # kernel's default is 1024.
    # 1 to 2147483647; default: as it is.
    amemthresh = 1024

    # For drop_packet = 3: one of so many packets is dropped. The kernel's
    # default is 10.
    # 1 to 2147483647; default: as it is.
    am_droprate = 10

    # Work out rates for the statistics. The kernel's default is 1. With 0,
    # lvsd status has no rates, and a table of ten thousand services takes less
    # processor time.
    # True or false; default: as it is.
    run_estimation = true

    # The processors on which the kernel works out rates, by their numbers,
    # such as "0" or "2,4-7".
    # Numbers and ranges of numbers; default: as it is.
    est_cpulist = "0-1"

    # The niceness of what works out rates. The kernel's default is 0.
    # -20 to 19; default: as it is.
    est_nice = 0

    # After how many packets the sync daemon tells the other director of a
    # connection, and after how many more again: "3 50" is the kernel's
    # default. "0 50" tells of it at once.
    # Two numbers, the first below the second; default: as it is.
    sync_threshold = "3 50"

    # How many seconds the timer of a connection must have changed by before
    # the sync daemon tells of it again. The kernel's default is 0: the number
    # of packets decides alone.
    # 0 to 2147483647; default: as it is.
    sync_refresh_period = 0

    # How often the sync daemon repeats what it has told within
    # sync_refresh_period. The kernel's default is 0.
    # 0 to 3; default: as it is.
    sync_retries = 0

    # Of a persistent service, tell only which client is bound to which server,
    # not each connection. Connections survive a takeover then with sloppy_tcp.
    # True or false; default: as it is.
    sync_persist_mode = false

    # How many threads and UDP ports, from 8848 on, the sync daemon uses: 1, 2,
    # 4 and so on. It must be the same on both directors. The kernel's default
    # is 1; a daemon that runs keeps its number.
    # 1 to 64; default: as it is.
    sync_ports = 1

    # How many messages of the sync daemon may wait to be sent. The kernel's
    # default is a share of the memory.
    # 1 to 2147483647; default: as it is.
    sync_qlen_max = 4096

    # The size of the sync daemon's buffer in the kernel, in bytes. 0, the
    # default, is the kernel's usual one.
    # 0 to 2147483647; default: as it is.
    sync_sock_size = 0

    # The version of the sync daemon's protocol. The kernel's default is 1; 0
    # is for kernels before 2.6.39.
    # 0 to 1; default: as it is.
    sync_version = 1
  }

  # Tell the other directors of connections, so that these go on when another
  # one becomes Master. The kernel's sync daemons do that (ipvsadm
  # --start-daemon) with the packets of a connection, as sync_threshold in the
  # ipvs block says, and the Master does it for all of them, as refresh says.
  # Without this block, open connections are reset when the addresses move,
  # unless the scheduler ("sh", "mh") sends them to the same servers and
  # sloppy_tcp is set.
  connection_sync {
    # The virtual router whose role decides: its Master tells, and all others
    # listen.
    # The name of a virtual_router; no default.
    router = "outside"

    # The network interface to the other directors. Nothing protects what is
    # told, so it should lead to a network of their own. It needs an address.
    # The name of a network interface; no default.
    interface = "eth1"

    # The number by which directors of one cluster know each other's messages.
    # A director with 0 takes anybody's.
    # 0 to 255; default: 1.
    id = 1

    # The multicast group that messages are sent to, of either family.
    # A multicast address; default: "224.0.0.81".
    group = "224.0.0.81"

    # The UDP port that messages are sent to; with sync_ports in the ipvs
    # block, the first of them.
    # 1 to 65535; default: 8848.
    port = 8848

    # The TTL, or hop limit, of messages. With more than 1, routers may pass
    # them on.
    # 1 to 255; default: 1.
    ttl = 1

    # The longest message, in bytes. 0 takes what the interface's MTU has room
    # for, of 1500 bytes at most. A director that listens has room for 1024 at
    # least, and with 0 for as much as the MTU has.
    # 0 to 65507; default: 0.
    max_length = 0

    # How often the Master tells of all connections, also of those that have no
    # packets, of which the kernel's sync daemon never tells a director that
    # was away. A director that starts does not preempt before it has heard a
    # whole round of that, or, where no beginning of one is heard, two of these
    # times are over; a round may last for ten. 0 leaves it to the kernel.
    # 0s to 1h; default: 10s.
    refresh = "10s"

    # How many connections it tells of in a second at most. With more than so
    # many times refresh in seconds, telling of all takes longer than refresh,
    # and so does the wait of a director that starts.
    # 100 to 10000000; default: 100000.
    rate = 100000
  }

  # Feed a watchdog of the kernel, which resets this machine when it hangs. It
  # is fed by the process that sends the adverts, as long as that is on time,
  # from its start until lvsd is stopped; so it needs a virtual_router. The
  # unit that is shipped does not let lvsd open it, and its drop-in
  # watchdog.conf does. Without this block, none is fed.
  watchdog {
    # The device. /dev/watchdog is the machine's first one; where it has none,
    # the module softdog makes one. Nobody else may have it, such as systemd
    # (RuntimeWatchdogSec=).
    # A path below /dev; no default.
    device = "/dev/watchdog"

    # After this time without food, the machine is reset, in whole seconds. A
    # keeper that hangs is replaced within 11 seconds, and one that keeps
    # ending within 5: with less than that, the machine is reset for it.
    # 5s to 10m; default: 30s.
    timeout = "30s"
  }

  # The longest time that a virtual router waits after the daemon starts for
  # the IPVS table to be loaded and for the first result of every check. Raise
  # it if checks take long, so that a director does not take over before it
  # knows which servers are up.
  # 0s to 1h; default: 10s.
  start_delay = "10s"

  # The largest number of probes in flight at one time. Probes beyond it wait,
  # and their timeout starts only when they do. Lower it if the director may
  # open only a few sockets.
  # 1 to 65536; default: 4096.
  probes_in_flight = 4096

  # The largest number of probes that begin in a second, of all servers
  # together. Probes beyond it begin later, those that have waited longest
  # first. Set it if the network or the servers do not stand many new
  # connections at once, as at the start. 0 means no bound.
  # 0 to 1000000; default: 0.
  probes_per_second = 0

  # When every check of every real server is silent at once (no answer,
  # unreachable), and there are two addresses or more, take this director to be
  # cut off: the servers stay in the table, and the priority of its virtual
  # routers falls to 1, so that a director that sees them becomes Master. One
  # that does not preempt is offered the role once; one that is cut off, too,
  # does not take it. If false, the servers count as down.
  # Default: true.
  isolation = true

  # How many days before its end the certificate of a real server is a finding,
  # and a warning in the log. Only certificates that checks have seen count. 0
  # means never.
  # 0 to 3650; default: 14.
  certificate_days = 14

  # Treat every row of the IPVS table as the daemon's own, and delete the rows
  # that are not in the configuration. Set it only if nothing else uses IPVS on
  # this machine.
  # Default: false.
  exclusive_table = false

  # Leave the IPVS table as it is when the daemon stops, so that established
  # connections continue. If false, the daemon removes its rows when it stops.
  # Default: true.
  keep_table = true

  # The firewall marks that lvsd gives to packets, by a table of nftables that
  # is its own (inet lvsd-services): of virtual services with marked or
  # source_nat, and of none else. Each service has one, which follows from its
  # name, so that all directors have the same. Packets that have another mark
  # when they arrive lose it. Nothing else on this machine may use these marks,
  # and they must be the same on all directors.
  # Two numbers with a hyphen between, 256 or more marks; default:
  # "0x6c770000-0x6c77ffff".
  marks = "0x6c770000-0x6c77ffff"

  # The processors on which the process that sends the adverts runs, by their
  # numbers, of which 0 is the first, such as "3" or "2,6-7". It has real-time
  # priority, so it needs none for itself; but one that is kept free from other
  # work may be more punctual.
  # Numbers and ranges of numbers; default: all.
  keeper_processors = "0"

  # The least severe messages that are logged.
  # "debug", "info", "warn" or "error"; default: that of --log-level, "info" if
  # it is not given.
  log_level = "info"
}

# ---- Virtual addresses

# A group of virtual addresses that exactly one of the directors holds at any
# time (VRRP, RFC 9568). The label is any name.
virtual_router "outside" {
  # The network interface on which adverts are sent and received, and to which
  # the addresses are added.
  # A name of up to 15 bytes; no default.
  interface = "eth0"

  # What it means that this interface has no carrier. With "track", this
  # director is not Master then, as it is not while the interface is down.
  # "ignore" is for a cable straight to the other director, which ends with it:
  # this director stays or becomes Master. Of two that are both alive when the
  # cable breaks, both are Master, so have it only where the service's own
  # interfaces are tracked, as those of an extra_address are.
  # "track" or "ignore"; default: "track".
  carrier = "track"

  # How long after its interface came up, or its machine was started, this
  # director waits at least before it becomes Master without having heard
  # another one. Raise it where the port of a switch forwards only some time
  # after the link came up (spanning tree: 30 s).
  # 0s to 1h; default: 0s.
  link_up_delay = "0s"

  # The virtual router's ID (VRID). It must be the same on all directors, and
  # different from that of every other virtual router on the network.
  # 1 to 255; no default.
  id = 51

  # The version of VRRP. Version 2 (RFC 3768) supports IPv4 only; use it for
  # peers that do not support version 3.
  # 2 to 3; default: 3.
  version = 3

  # Of the directors that are alive, the one with the highest priority becomes
  # Master (RFC 9568 calls it Active). 255 is reserved for the owner of the
  # addresses: a director that has them as its own, and keeps them for good.
  # 1 to 255; default: 100.
  priority = { lvs1 = 150, lvs2 = 100 }[node.name]

  # The time between two adverts (Advertisement_Interval). A Master that dies
  # is replaced after three to four intervals. It must be a multiple of 10ms;
  # with version 2, it must be a whole number of seconds, at most 255s.
  # 10ms to 40.95s; default: 1s.
  advert_interval = "1s"

  # How many adverts must be missed before a Master counts as gone. More of
  # them bridge a network that loses packets, fewer find a dead Master sooner.
  # All directors must have the same: it is not in the adverts.
  # 1 to 100; default: 3.
  missed_adverts = 3

  # Take over from a Master of lower priority that is still alive
  # (Preempt_Mode). If false, the addresses stay where they are until the
  # director that holds them fails.
  # Default: true.
  preempt = false

  # How long to wait before taking over from such a Master, counted from the
  # first advert received from it. Raise it if a director needs time to warm up
  # after it starts.
  # 0s to 1000s; default: 0s.
  preempt_delay = "0s"

  # The virtual addresses, all of one family. An address without a prefix
  # length is a /32 or a /128. All directors must list the same addresses. With
  # IPv6, the first address must be link-local. There can be up to 255 IPv4
  # addresses or 90 IPv6 addresses. The list may be empty where only other
  # things move: extra addresses, routes, or what a program moves, such as an
  # address of a cloud.
  # A list; no default.
  addresses = ["10.13.0.200/24", "10.13.0.201/24"]

  # One more virtual address, with what is special about it. The label is the
  # address. It is advertised after those of the list.
  address "10.13.0.203/24" {
    # The label of an IPv4 address, by which ifconfig and "ip address show
    # label" know it. It begins with the interface's name and a colon.
    # A text of up to 15 bytes; default: the interface's name.
    label = "eth0:web"

    # Where an IPv4 address is valid: "link" and "host" keep the director from
    # using it as the source of packets that go further. The kernel wants all
    # addresses of one network on an interface to have the same.
    # "global", "site", "link" or "host"; default: "global".
    scope = "global"

    # The broadcast address of an IPv4 address's network.
    # An address; default: none.
    broadcast = "10.13.0.255"

    # The other end of a point-to-point link, as ip-address(8) has it. The
    # kernel has a route to it, and the address has no network of its own.
    # An address; default: none.
    # peer = "10.13.0.1"

    # Keep the kernel from adding a route to the network of the address, as
    # ip-address(8) does with this word.
    # Default: false.
    noprefixroute = false

    # Let the director's own connections come from an IPv6 address. If false,
    # it is deprecated (RFC 6724, rule 3): a connection from an address that
    # moves away is lost. Of IPv4 addresses, the first one of a network is used
    # anyway.
    # Default: false.
    preferred = false
  }

  # An address, of either family, that moves together with the others but is
  # not advertised. The label is the address.
  extra_address "192.168.1.254/24" {
    # The network interface to which the address is added.
    # A name of up to 15 bytes; default: the router's.
    interface = "eth1"
  }
  extra_address "172.16.0.254/24" {
    interface = "eth2"

    # The label of an IPv4 address, by which ifconfig and "ip address show
    # label" know it. It begins with the interface's name and a colon.
    # A text of up to 15 bytes; default: the interface's name.
    label = "eth2:gateway"

    # Where an IPv4 address is valid: "link" and "host" keep the director from
    # using it as the source of packets that go further. The kernel wants all
    # addresses of one network on an interface to have the same.
    # "global", "site", "link" or "host"; default: "global".
    scope = "global"

    # The broadcast address of an IPv4 address's network.
    # An address; default: none.
    broadcast = "172.16.0.255"

    # The other end of a point-to-point link, as ip-address(8) has it. The
    # kernel has a route to it, and the address has no network of its own.
    # An address; default: none.
    # peer = "10.13.0.1"

    # Keep the kernel from adding a route to the network of the address, as
    # ip-address(8) does with this word.
    # Default: false.
    noprefixroute = false

    # Let the director's own connections come from an IPv6 address. If false,
    # it is deprecated (RFC 6724, rule 3): a connection from an address that
    # moves away is lost. Of IPv4 addresses, the first one of a network is used
    # anyway.
    # Default: false.
    preferred = false

    # Also track that interface: a director that has lost the link to the
    # servers is not Master. If false, it stays Master without this address.
    # Default: true.
    track = false
  }

  # A route that the Master has, and no other director. It is added after the
  # addresses and removed before them, and put back when somebody removes it.
  # Routes and rules of lvsd have protocol 112, and nothing else is ever
  # changed or removed. They have no lifetime: if all of lvsd's processes are
  # killed, they stay until its next start, but for a route of the main table
  # whose source is an address with a lease, which goes with it. The label is
  # the destination: a network, or "default".
  route "10.9.0.0/16" {
    # What becomes of the packets: "unicast" sends them, "blackhole" drops
    # them, and the others answer them with an ICMP error.
    # "unicast", "blackhole", "unreachable" or "prohibit"; default: "unicast".
    type = "unicast"

    # The next router (gateway). Without it, the destination is on the network
    # of the interface.
    # An address; default: none.
    via = "10.13.0.1"

    # The network interface on which the packets are sent.
    # A name of up to 15 bytes; default: where via is reached.
    interface = "eth0"

    # The address that the director's own packets come from: a virtual one, for
    # instance. The route goes with the address.
    # An address; default: the kernel's choice.
    source = "10.13.0.200"

    # Of several routes to a destination, the kernel takes the one with the
    # smallest metric. With 0, it is 0, or 1024 with IPv6.
    # 0 to 4294967295; default: 0.
    metric = 100

    # The routing table; 254 is the main one. Others are consulted where a rule
    # says so.
    # 1 to 4294967295; default: 254.
    table = 254

    # How far the route leads, of IPv4 only.
    # "global", "site", "link" or "host"; default: "global" with via, otherwise
    # "link".
    scope = "global"

    # The next router is reached on the interface, although no network there
    # has it.
    # Default: false.
    onlink = false

    # The largest packet that is sent on this route, in bytes.
    # 68 to 65535; default: that of the interface.
    mtu = 1400

    # The largest segment that TCP asks the other side for on this route, in
    # bytes.
    # 40 to 65495; default: what the MTU leaves.
    advertised_mss = 1360

    # The TTL or hop limit of the director's own packets on this route.
    # 1 to 255; default: that of the machine.
    hop_limit = 64

    # The most that the director's own TCP lets the other side send ahead on
    # this route, in bytes.
    # 1 to 2147483647; default: that of the machine.
    window = 65535

    # Also track the interface, if the route names one: without it, the
    # director is not Master.
    # Default: true.
    track = true
  }

  # A rule of policy routing that the Master has, and no other director: which
  # packets consult another routing table.
  rule {
    # When the rule is consulted: the smallest first. The main table is
    # consulted at 32766.
    # 1 to 4294967295; no default.
    priority = 100

    # The network of the packets' source.
    # A network; default: all.
    from = "10.13.0.200/32"

    # The network of the packets' destination.
    # A network; default: all.
    to = "10.9.0.0/16"

    # The network interface on which the packets have arrived; "lo" is for the
    # director's own.
    # A name of up to 15 bytes; default: any.
    iif = "eth0"

    # The network interface to which the sending socket is bound.
    # A name of up to 15 bytes; default: any.
    oif = "eth0"

    # The packets' firewall mark.
    # 0 to 4294967295; default: any.
    firewall_mark = 1

    # The bits of the firewall mark that count.
    # 1 to 4294967295; default: all.
    firewall_mask = 255

    # The packets' protocol over IP.
    # "icmp", "tcp", "udp", "gre", "esp", "icmpv6" or "sctp"; default: any.
    protocol = "tcp"

    # The packets' source port, or a range of them: "1024-65534".
    # A port or a range; default: any.
    source_port = "1024-65534"

    # The packets' destination port, or a range of them.
    # A port or a range; default: any.
    destination_port = "443"

    # Pass over what the table has for networks of a prefix length of no more
    # than this: 0 is for its default route. Only with a table below 256.
    # 0 to 128; default: nothing is passed over.
    suppress_prefix_length = 0

    # The routing table that is consulted.
    # 1 to 4294967295; no default.
    table = 100

    # The family of the packets, where from and to do not tell it.
    # "ipv4" or "ipv6"; default: that of from or to, otherwise "ipv4".
    family = "ipv4"
  }

  # How the Master announces the addresses by gratuitous ARP (a request and a
  # reply) and unsolicited neighbour advertisements. A new Master does so at
  # once, and again after 100ms and 5s; every Master, when it meets another
  # one, when somebody else has its address by ARP or neighbour discovery, and
  # when the MAC address of an interface has changed.
  announce {
    # How many packets there are for each address in each announcement. Raise
    # it for networks that lose packets, and for machines that overlook the
    # first ones.
    # 1 to 100; default: 1.
    repeat = 5

    # The time between two packets of an announcement, for switches and
    # machines that take only so many a second. With 0s, all are sent at once.
    # 0s to 10s; default: 0s.
    interval = "10ms"

    # Announce the addresses again whenever so much time has passed without an
    # announcement, for switches and machines that forget. With 0s, only when
    # there is a reason.
    # 0s, or 1s to 24h; default: 0s.
    refresh = "60s"

    # Further network interfaces on which the addresses are announced, with the
    # MAC address of each: where the same network is reached by more than one.
    # A list; default: none.
    interfaces = ["eth2"]
  }

  # The addresses of the other directors, for networks without multicast.
  # Adverts are sent to these addresses, and accepted only from them.
  # A list; default: multicast to 224.0.0.18 or ff02::12.
  peers = [for name, address in local.directors : address if name != node.name]

  # The TTL (with IPv6, hop limit) of the adverts that are sent to peers. Those
  # to a multicast group always have 255.
  # 1 to 255; default: 255.
  ttl = 255

  # The smallest TTL with which a peer's advert is accepted. Nobody beyond a
  # router can send one that arrives with 255, since each router takes 1 off.
  # Where there are routers between the directors, write 255 less their number.
  # 1 to 255; default: 255.
  min_ttl = 254

  # The largest TTL with which a peer's advert is accepted. With 255 less the
  # number of routers between the directors, adverts that were forged on this
  # network are refused.
  # 1 to 255; default: 255.
  max_ttl = 255

  # The group to which adverts are multicast, and in which those of the other
  # directors are expected. Choose one that stays on the network: from
  # 224.0.0.0/24 or ff02::/16.
  # An address; default: 224.0.0.18 or ff02::12.
  # multicast_group = "224.0.0.18"

  # The source address of the adverts.
  # An address; default: the interface's first address that is not virtual;
  # with IPv6, its link-local address.
  source = local.directors[node.name]

  # A condition that this router needs: while it is not met, this director does
  # not become Master, and hands over if it is, or only its priority changes by
  # a weight. What the condition is, this block says itself, or a condition
  # block of the same kind and name. The router's own interface is always
  # tracked, and that of an extra_address unless told otherwise there.
  #   track "interface"  Met while the interface of that name exists, is up and
  #                      has a carrier.
  #   track "ping"       Met while the addresses answer ICMP echo requests, or
  #                      enough of them. An address to which this director has
  #                      no route does not answer.
  #   track "service"    Met while enough real servers of the virtual service
  #                      of that name are up, as this director sees them.
  #                      Servers with weight 0 do not count.
  #   track "file"       Met while the file exists, or while it holds a whole
  #                      number.
  #   track "process"    Met while as many processes of a program run as
  #                      should. Where the kernel tells when processes begin
  #                      and end, it is known within a tenth of a second;
  #                      everywhere at each interval. The unit lvsd.service
  #                      hides those of other users: with ProtectProc=default
  #                      in a drop-in (systemctl edit lvsd) they are seen.
  #                      Until then, what cannot be told is a finding, and
  #                      counts as met.
  #   track "exec"       Met while a program, which is run again and again,
  #                      exits with status 0. It is not started again before it
  #                      has ended.
  track "interface" "eth1" {
    # For how long the condition must have been met before it counts as met
    # again. Raise it for what comes and goes.
    # 0s to 1h; default: 0s.
    up_after = "10s"

    # For how long the condition must not have been met before it counts as
    # that.
    # 0s to 1h; default: 0s.
    down_after = "0s"

    # What the priority changes by: weight = -20 lowers it by 20 while the
    # condition is not met, weight = 20 raises it by 20 while it is met. The
    # priority is worked out anew from what is true at the moment, and stays
    # from 1 to 254; one of 255 never changes. Without a weight, the director
    # is not Master while the condition is not met.
    # -253 to 253; default: none.
    weight = -20

    # Take the condition as met while it is not, and the other way round.
    # Default: false.
    reverse = false
  }
  track "interface" "eth2" {}
  track "ping" "gateways" {
    weight = -30
  }
  track "service" "web" { weight = -10 }
  track "exec" "fabric" {
    # The program's absolute path, and its arguments. There is no shell:
    # nothing is expanded. Nobody but root and lvsd's user may be able to
    # change the program or its directories.
    # Only with "exec". A list; no default.
    run = ["/etc/lvsd/programs/fabric"]

    # The user that the program runs as. lvsd must be able to become that user:
    # the unit that is shipped does not let it, and its drop-in programs.conf
    # does. Without it, the program has no privileges at all.
    # Only with "exec". The name of a user; default: lvsd's own.
    user = "nobody"

    # When the program has ended, end everything that it has left running. If
    # false, what it has put into a session of its own (setsid) stays.
    # Only with "exec". Default: false.
    kill_children = false

    # What the condition is before the program has run: met or not until rise
    # or fall runs in a row say otherwise; or unknown until the first run
    # decides.
    # Only with "exec". "unknown", "met" or "unmet"; default: "unknown".
    initial = "unknown"
  }
  track "exec" "database" { weight = 20 }
  track "file" "load" { weight = -1 }
  track "file" "maintenance" {
    # The path of the file, which is absolute. A symbolic link counts as a
    # file, and is not followed.
    # Only with "file". A path; no default.
    path = "/etc/lvsd/maintenance"

    # The file holds a whole number from -10000 to 10000, and the priority
    # changes by that many times the weight. A file that is missing, or holds
    # no number, changes nothing, and is a finding.
    # Only with "file". Default: false.
    number  = false
    reverse = true
  }
  track "process" "haproxy" {
    # The name of the program or script, or its path as it is started.
    # Only with "process". A name or an absolute path; default: the condition's
    # name.
    program = "haproxy"

    # Arguments that the process must have, in this order. It may have others.
    # Only with "process". A list; default: any.
    arguments = ["-f", "/etc/haproxy/haproxy.cfg"]

    # Only processes that this user has started count. Without it, anybody on
    # this machine can start one that has this name.
    # Only with "process". The name or number of a user; default: anybody.
    owner = "haproxy"

    # How many processes may run.
    # Only with "process". 1 to 32768; default: any number.
    maximum = 10
  }
  track "process" "ntpd" { weight = -10 }
  track "ping" "dns" {
    # The addresses to ask, such as that of a router to the clients. Choose
    # addresses that do not move.
    # Only with "ping". A list; no default.
    addresses = ["10.13.0.53"]

    # How many must answer, be up, or run. With "service" it can be a
    # percentage of the real servers that have a weight.
    # Only with "ping", "service", "process". A whole number, or "1%" to
    # "100%"; default: 1.
    minimum = 1

    # The time from the start of one probe to the start of the next.
    # Only with "ping", "file", "process", "exec". 10ms to 24h; default: 1s.
    interval = "1s"

    # The time limit for one probe.
    # Only with "ping". 1ms to 24h; default: 1s, or the interval if that is
    # shorter.
    timeout = "1s"

    # How many probes in a row must pass before the condition is met again. The
    # first probe decides at once.
    # Only with "ping", "exec". 1 to 1000; default: 2.
    rise = 2

    # How many probes in a row must fail before the condition is no longer met.
    # Only with "ping", "exec". 1 to 1000; default: 3.
    fall   = 3
    weight = 5
  }

  # A program that is run when the virtual router has come into a state on this
  # director: "master", "backup", "fault" (it cannot be Master) or "stop" (lvsd
  # stops, or the virtual router was removed), or into "any" of them. The
  # programs of a virtual router run one at a time, in order. If its state
  # changes faster than that, those that have not begun are skipped.
  on "any" {
    # The program's absolute path, and its arguments. There is no shell:
    # nothing is expanded. Nobody but root and lvsd's user may be able to
    # change the program or its directories.
    # A list; no default.
    run = ["/etc/lvsd/hooks/notify", "outside"]

    # The user that the program runs as. lvsd must be able to become that user:
    # the unit that is shipped does not let it, and its drop-in programs.conf
    # does. Without it, the program has no privileges at all.
    # The name of a user; default: lvsd's own.
    user = "nobody"

    # After this time the program is ended, with everything that it has
    # started.
    # 100ms to 1h; default: 30s.
    timeout = "30s"

    # When the program has ended, end everything that it has left running. If
    # false, what it has put into a session of its own (setsid) stays.
    # Default: false.
    kill_children = false

    # Run it again when this time has passed since it ended, as long as the
    # state lasts: for a program that itself moves what clients reach, as in a
    # cloud, where somebody else may move it back. A change of the state ends
    # such a run. "lvsd assert" runs it again at once, also without this.
    # 1s to 24h; default: never.
    assert = "30s"
  }
  on "master" {
    run = ["/etc/lvsd/hooks/power-off", "lvs2"]

    # Run it before this director takes the addresses over, and before it sends
    # an advert: to fence a director that fell silent, so that two never have
    # them, by a command for its power switch. For "master" only, with a
    # timeout of 10s by default. It does not run where the Master hands over or
    # is preempted. When an advert is heard meanwhile, it is ended.
    # Default: false.
    before = true

    # With before, run it also where no Master was heard since the start. Two
    # directors that start at once without hearing each other then fence each
    # other.
    # Default: false.
    at_start = false

    # With before, what happens if the program fails, exceeds its timeout or
    # cannot be run, or lvsd does not answer in time. "continue" takes the
    # addresses over all the same. "stop" does not: nobody may have them then,
    # until the program, which is run again after 10s, succeeds, or a Master is
    # heard.
    # "continue" or "stop"; default: "continue".
    on_failure = "continue"
  }

  # A program that keeps running, and reads from its standard input what
  # happens to this virtual router, as one at the top level does for all.
  stream "outside" { run = ["/etc/lvsd/hooks/collect", "outside"] }

  # Something that this director runs while it is Master: a unit of systemd, a
  # mount or a command. They are started in this order, once the addresses are
  # there, and stopped in reverse, before another director is let in. If one
  # cannot be started, those before it are stopped, and this director is not
  # Master until "lvsd resume".
  #   resource "systemd"  A unit of systemd, which must not be enabled
  #                       (systemctl disable). lvsd must be able to become root
  #                       for it, as its drop-in programs.conf lets it.
  #   resource "mount"    A file system. The second label is the directory that
  #                       it is mounted on, which must not be in /etc/fstab
  #                       without noauto. Where systemd has started the
  #                       machine, it mounts it (systemd-run), as lvsd's unit
  #                       has a view of the file system of its own. lvsd must
  #                       be able to become root for it, as its drop-in
  #                       programs.conf lets it.
  #   resource "command"  Anything that commands start and stop. They must
  #                       succeed also if it runs, or does not run, already.
  resource "mount" "/srv" {
    # What is mounted, as mount(8) has it: a device, "UUID=…", or
    # "server:/path".
    # Only with "mount". A text; no default.
    device = "/dev/drbd0"

    # The type of the file system.
    # Only with "mount". A text; default: what mount(8) finds.
    type = "ext4"

    # The options of mount(8).
    # Only with "mount". A list; default: none.
    options = ["noatime"]
  }
  resource "systemd" "apache2.service" {
    # How long starting it may take, and stopping it. What takes longer is
    # ended, and has failed. The time is also what a planned leaving waits for.
    # 100ms to 10m; default: 30s.
    timeout = "30s"
  }
  resource "command" "volume" {
    # The program that starts it and waits for that, and its arguments. There
    # is no shell: nothing is expanded. Nobody but root and lvsd's user may be
    # able to change the program or its directories.
    # Only with "command". A list; no default.
    start = ["/etc/lvsd/resources/volume", "start"]

    # The program that stops it and waits for that, in the same way.
    # Only with "command". A list; no default.
    stop = ["/etc/lvsd/resources/volume", "stop"]

    # The program that exits with status 0 if it runs, and with another one if
    # not. Without it, what runs after a crash of lvsd is started once more.
    # Only with "command". A list; default: none.
    status = ["/etc/lvsd/resources/volume", "status"]

    # The user that they run as. lvsd must be able to become that user: the
    # unit that is shipped does not let it, and its drop-in programs.conf does.
    # Without it, they have no privileges at all.
    # Only with "command". The name of a user; default: lvsd's own.
    user = "nobody"
  }

  # By what the directors know each other's adverts: by keys, with which they
  # sign them (as keepalived 2.4.2 does by its auth_hmac), or in version 2 by a
  # password. Without keys, whoever can send packets on the directors' network
  # can take the addresses over.
  authentication {
    # A key that adverts may be signed with. The label is its id, 1 to 255, by
    # which all directors know it. There can be several, so that a new one is
    # known everywhere before a director signs with it.
    key "1" { credential = "vrrp-1" }
    key "2" {
      # The file that has the key: 32 to 64 printable bytes on one line, or
      # hex: and twice as many hexadecimal digits, as keepalived reads it.
      # Nobody but root and lvsd may be able to read it: chown root:lvsd and
      # chmod 0640, or lvsd's own with 0600. A key that has changed is read by
      # a reload.
      # An absolute path; default: the credential.
      # file = "/etc/lvsd/vrrp-2.key"

      # The name of a credential of systemd that has the key, in place of a
      # file (LoadCredential= or LoadCredentialEncrypted= in a drop-in of
      # lvsd.service). It is set when lvsd is started.
      # A name; default: the file.
      credential = "vrrp-2"
    }

    # The id of the key that this director signs its adverts with.
    # 1 to 255; default: that of the only key.
    signer = 2

    # What is signed and what is accepted. The first two modes are for the time
    # in which the directors are given their keys, one after the other.
    # "receive-only", "permissive" or "enforce"; default: "enforce".
    #   "receive-only"  Sign nothing. Accept adverts that are not signed, and
    #                   those that are signed with one of the keys.
    #   "permissive"    Sign, and accept the same.
    #   "enforce"       Sign, and accept only what is signed with one of the
    #                   keys.
    mode = "enforce"

    # How an advert is recognized that somebody has recorded and sends again.
    # "time" or "order"; default: "time".
    #   "time"   It was signed too long ago. The directors' clocks must agree
    #            (NTP): if they do not, adverts are refused, and both directors
    #            become Master.
    #   "order"  One that was signed later has arrived before it. The clocks
    #            may differ, but what was recorded before a director was
    #            started is accepted from it until it has heard something
    #            newer.
    replay = "time"

    # With replay = "time": how far the time at which an advert was signed may
    # be from this director's. In whole seconds.
    # 1s to 5m; default: three times advert_interval, at least 5s and at most
    # 5m.
    window = "5s"
  }

  # Accept what comes for the addresses and no virtual service, such as ping or
  # ssh (Accept_Mode). If false, a table of nftables drops it, except what
  # finds neighbours, and what comes from this director itself. In a VRF, that
  # is dropped as well, since it arrives by the device of the VRF as everything
  # else does. A director that is a real server of such an address itself needs
  # true, unless by NAT.
  # Default: true.
  accept = true

  # Take over even while another director has the addresses whose adverts are
  # refused for their version or authentication. Otherwise a director stands
  # aside for it, because two Masters are worse than one without a Backup. With
  # keys that are enforced, it never does.
  # Default: false.
  insist = false

  # Add the addresses with a limited lifetime that lvsd keeps renewing, so that
  # the kernel removes them by itself if all of lvsd's processes are gone or
  # stopped.
  # Default: true.
  lease = true
}

# One beside a director that knows version 2 alone, and wants a password.
virtual_router "old" {
  interface = "eth0"
  id        = 52
  version   = 2
  priority  = { lvs1 = 150, lvs2 = 100 }[node.name]
  preempt   = false
  addresses = ["10.13.0.202/24"]

  authentication {
    # The password that each advert of version 2 carries in the clear
    # (keepalived's auth_type PASS). It is no security, because everybody on
    # the network can read it: it only keeps apart directors that have the same
    # id by mistake. Use it for a peer that wants one.
    # 1 to 8 bytes; default: none.
    password = "secret12"
  }

  # Give the addresses the MAC address of the virtual router (00-00-5E-00-01
  # or, with IPv6, -02, and the id), which moves with them: no neighbour has to
  # learn another one. They are on a device of their own then, which is down
  # unless this director has them. Extra addresses stay on their interfaces. Do
  # not use it where a switch or a hypervisor accepts one MAC address of a port
  # only.
  virtual_mac {
    # The name of the device, which lvsd makes (a macvlan) and removes.
    # Firewall rules for packets to the virtual addresses name it.
    # A name of up to 15 bytes; default: vrrp4-51 or vrrp6-51, with the family
    # and the id.
    device = "vrrp.51"

    # Send the adverts from the interface's own MAC address. Switches then
    # learn where the virtual one is from gratuitous ARP alone.
    # Default: false.
    adverts_from_interface = false
  }
}

# ---- Conditions, defined once for several virtual routers.

# Something that virtual routers track, defined once for all of them. The
# labels are its kind and any name.
#   condition "interface"  Met while the interface of that name exists, is up
#                          and has a carrier.
#   condition "ping"       Met while the addresses answer ICMP echo requests,
#                          or enough of them. An address to which this director
#                          has no route does not answer.
#   condition "service"    Met while enough real servers of the virtual service
#                          of that name are up, as this director sees them.
#                          Servers with weight 0 do not count.
#   condition "file"       Met while the file exists, or while it holds a whole
#                          number.
#   condition "process"    Met while as many processes of a program run as
#                          should. Where the kernel tells when processes begin
#                          and end, it is known within a tenth of a second;
#                          everywhere at each interval. The unit lvsd.service
#                          hides those of other users: with ProtectProc=default
#                          in a drop-in (systemctl edit lvsd) they are seen.
#                          Until then, what cannot be told is a finding, and
#                          counts as met.
#   condition "exec"       Met while a program, which is run again and again,
#                          exits with status 0. It is not started again before
#                          it has ended.
condition "ping" "gateways" {
  # The addresses to ask, such as that of a router to the clients. Choose
  # addresses that do not move.
  # Only with "ping". A list; no default.
  addresses = ["10.13.0.1", "10.13.0.2"]

  # How many must answer, be up, or run. With "service" it can be a percentage
  # of the real servers that have a weight.
  # Only with "ping", "service", "process". A whole number, or "1%" to "100%";
  # default: 1.
  minimum = 1

  # The time from the start of one probe to the start of the next.
  # Only with "ping", "file", "process", "exec". 10ms to 24h; default: 1s.
  interval = "1s"

  # The time limit for one probe.
  # Only with "ping". 1ms to 24h; default: 1s, or the interval if that is
  # shorter.
  timeout = "1s"

  # How many probes in a row must pass before the condition is met again. The
  # first probe decides at once.
  # Only with "ping", "exec". 1 to 1000; default: 2.
  rise = 2

  # How many probes in a row must fail before the condition is no longer met.
  # Only with "ping", "exec". 1 to 1000; default: 3.
  fall = 3

  # For how long the condition must have been met before it counts as met
  # again. Raise it for what comes and goes.
  # 0s to 1h; default: 0s.
  up_after = "10s"

  # For how long the condition must not have been met before it counts as that.
  # 0s to 1h; default: 0s.
  down_after = "0s"
}
condition "file" "load" {
  # The path of the file, which is absolute. A symbolic link counts as a file,
  # and is not followed.
  # Only with "file". A path; no default.
  path = "/run/load"

  # The file holds a whole number from -10000 to 10000, and the priority
  # changes by that many times the weight. A file that is missing, or holds no
  # number, changes nothing, and is a finding.
  # Only with "file". Default: false.
  number = true
}
condition "exec" "database" {
  # The program's absolute path, and its arguments. There is no shell: nothing
  # is expanded. Nobody but root and lvsd's user may be able to change the
  # program or its directories.
  # Only with "exec". A list; no default.
  run = ["/etc/lvsd/programs/database"]

  # The user that the program runs as. lvsd must be able to become that user:
  # the unit that is shipped does not let it, and its drop-in programs.conf
  # does. Without it, the program has no privileges at all.
  # Only with "exec". The name of a user; default: lvsd's own.
  user = "postgres"

  # When the program has ended, end everything that it has left running. If
  # false, what it has put into a session of its own (setsid) stays.
  # Only with "exec". Default: false.
  kill_children = false

  # What the condition is before the program has run: met or not until rise or
  # fall runs in a row say otherwise; or unknown until the first run decides.
  # Only with "exec". "unknown", "met" or "unmet"; default: "unknown".
  initial = "unknown"
}
condition "process" "ntpd" {
  # The name of the program or script, or its path as it is started.
  # Only with "process". A name or an absolute path; default: the condition's
  # name.
  program = "chronyd"

  # Arguments that the process must have, in this order. It may have others.
  # Only with "process". A list; default: any.
  arguments = ["-F", "1"]

  # Only processes that this user has started count. Without it, anybody on
  # this machine can start one that has this name.
  # Only with "process". The name or number of a user; default: anybody.
  owner = "_chrony"

  # How many processes may run.
  # Only with "process". 1 to 32768; default: any number.
  maximum = 2
}
condition "service" "web" {
  minimum = "50%"
}
condition "interface" "eth2" {
  # For how long the condition must have been met before it counts as met
  # again. Raise it for what comes and goes.
  # 0s to 1h; default: 0s.
  up_after = "30s"

  # For how long the condition must not have been met before it counts as that.
  # 0s to 1h; default: 0s.
  down_after = "0s"
}

# Virtual routers that move together: a director is Master of all of them or of
# none, as a NAT cluster needs it for the network outside and the one inside.
# The label is any name.
sync_group "nat" {
  # The names of the virtual routers. One director is Master of all of them, or
  # of none: what one of them lacks, such as its interface, makes all of them
  # stand back.
  # A list; no default.
  routers = ["outside", "old"]

  # What all of them track.
  track "interface" "eth2" {}

  # A program that is run when all of them have come into a state: "master",
  # "backup" or "stop", or when one has come into "fault".
  on "master" { run = ["/etc/lvsd/hooks/notify", "nat"] }

  # A program that keeps running, and reads from its standard input what
  # happens to the group and to its virtual routers, as one at the top level
  # does for all.
  stream "nat" { run = ["/etc/lvsd/hooks/collect", "nat"] }

  # Something that this director runs while it is Master of all of them, as in
  # a virtual_router.
  resource "systemd" "nginx.service" {}
}

# A program that keeps running, and reads from its standard input what happens
# to all virtual routers and sync groups: one JSON object a line for each
# change of a state or of a priority, and first those that there are. One in a
# virtual_router or a sync_group is told of that alone. It is started again
# when it ends, after a pause that grows from 1s to 1m. The label is any name.
stream "all" {
  # The program's absolute path, and its arguments. There is no shell: nothing
  # is expanded. Nobody but root and lvsd's user may be able to change the
  # program or its directories.
  # A list; no default.
  run = ["/etc/lvsd/hooks/collect"]

  # The user that the program runs as. lvsd must be able to become that user:
  # the unit that is shipped does not let it, and its drop-in programs.conf
  # does. Without it, the program has no privileges at all.
  # The name of a user; default: lvsd's own.
  user = "nobody"

  # How long the program may go on after the end of its standard input, which
  # comes when lvsd stops or the block is removed or changed. After that it is
  # ended, with everything that it has started.
  # 100ms to 25s; default: 5s.
  stop_timeout = "5s"

  # When the program has ended, end everything that it has left running. If
  # false, what it has put into a session of its own (setsid) stays.
  # Default: false.
  kill_children = false
}

# ---- Virtual services. It is good practice to give each its own file.

# A service whose connections the directors distribute over real servers. The
# label is any name.
virtual_service "web" {
  # The virtual address at which clients reach the service. It should be one of
  # the addresses of a virtual_router.
  # An address; no default.
  address = "10.13.0.200"

  # The port at which clients reach the service. 0 means every port, and
  # requires a persistence block.
  # 0 to 65535; no default.
  port = 80

  # The transport protocol of the service.
  # "tcp", "udp" or "sctp"; default: "tcp".
  protocol = "tcp"

  # The kernel scheduler that chooses a server for each new connection. rr, lc
  # and dh treat all weights above 0 alike. While a reload changes it, the
  # kernel refuses new clients for some milliseconds.
  # "rr", "wrr", "lc", "wlc", "lblc", "lblcr", "dh", "sh", "mh", "sed", "nq",
  # "fo", "ovf" or "twos"; default: "wlc".
  scheduler = "mh"

  # Flags of the scheduler. sh and mh have "fallback" (choose another server if
  # the first choice is down) and "port" (take the client's port into account,
  # too); other schedulers have "flag-1" to "flag-3".
  # A list; default: none.
  scheduler_flags = ["fallback", "port"]

  # When more than this share of the servers falls silent (no answer,
  # unreachable) at once, take the network between for the likelier fault, and
  # hold them in the table for panic_for. After that, their checks decide, and
  # the fallback serves. A server that refuses, or answers something wrong, is
  # removed as always. One detection time counts as at once: as long as it
  # takes to find one that hangs.
  # "1%" to "99%"; default: none.
  panic_threshold = "60%"

  # For how long servers are held in by panic_threshold, at most.
  # 1s to 1h; default: 30s.
  panic_for = "30s"

  # The real servers that must take connections for the service to be worth it:
  # a number (2), a share of those that have a weight ("50%"), or a sum of
  # weights ("weight 10"). With fewer, the fallback serves in their place, and
  # they keep the connections that they have; without a fallback, they serve
  # on. A track of kind "service" without a minimum of its own follows it.
  # A number, "1%" to "100%", or "weight 1" on; default: none.
  min_healthy = "50%"

  # With fewer than min_healthy once, these must take connections before the
  # servers serve again.
  # A number, "1%" to "100%", or "weight 1" on; default: min_healthy.
  recover_healthy = "75%"

  # Keep a server out that has failed, also when its checks pass again and over
  # a restart of lvsd, until an operator lets it in: lvsd resume
  # SERVICE/SERVER. For servers that need to be looked at first, such as
  # databases. One that panic_threshold or isolation holds in does not count as
  # failed.
  # Default: false.
  manual_resume = false

  # Look at the kernel's counters each second for servers that leave clients
  # unanswered, and check these at once, and a few times more at fast_interval
  # (without one, a quarter of the interval). With NAT: packets go in and none
  # come out. With direct routing and tunnelling, whose answers the director
  # does not see: TCP connections come and none gets beyond its first packets.
  # That alone decides nothing, but a server that hangs is found before its
  # next probe would be due.
  # Default: false.
  suspicion = false

  # Run the checks of the service only while this director is Master of the
  # virtual router with its address (with firewall_mark: of any), to spare
  # servers the checks of a Backup. What they have found last is kept
  # meanwhile, and the table with it. At a start, they run until each has had a
  # result. A director that becomes Master begins all of them at once; until
  # their results, what was kept counts, so a server that has failed meanwhile
  # gets connections for as long as it takes to find that. No condition can be
  # about such a service, since a Backup does not know how its servers are.
  # Default: false.
  ha_suspend = false

  # For how long a server that was down must pass its checks before it gets
  # connections, beside rise.
  # 0s to 24h; default: 0s.
  up_after = "0s"

  # How long a server that was down takes to its full weight, so that it is not
  # flooded while its caches are empty. The weight rises in as many steps of
  # equal length as it is, at most 10; with a weight of 1, there is nothing to
  # raise. The scheduler mh builds its whole table again at each step, so it is
  # refused there.
  # 0s to 24h; default: 0s.
  slow_start = "0s"

  # The forwarding method: how packets reach the servers. There is no default,
  # because the servers must be prepared for the method and other programs have
  # different defaults.
  # "nat", "direct" or "tunnel"; no default.
  #   "nat"     The director rewrites packets in both directions. It must be
  #             the servers' default route, and net.ipv4.ip_forward must be on.
  #   "direct"  Packets are sent unchanged to the server's MAC address. The
  #             servers must have the virtual address on lo and must not answer
  #             ARP for it (arp_ignore = 1, arp_announce = 2).
  #   "tunnel"  Packets are sent encapsulated in other packets. The servers
  #             must have the virtual address on their end of the tunnel, and
  #             answer the clients themselves.
  forward = "nat"

  # Whether a new server gets connections only after its checks have passed
  # ("check"), or at once and until they fail ("up").
  # "check" or "up"; default: "check".
  initial = "check"

  # What becomes of a server that is down, and so of its connections. While it
  # has a row, clients that persistence has sent to it are sent there on,
  # unless expire_quiescent_template is set in the ipvs block. See "Open
  # connections" in lvsd(8).
  # "remove", "drain" or "drain_timeout"; default: "remove".
  #   "remove"         It is removed from the table. With expire_nodest_conn
  #                    its connections end at their next packet; without, their
  #                    packets are lost until the server is back or they time
  #                    out.
  #   "drain"          It keeps its row, with weight 0, while it is down, so
  #                    that connections which still work go on, as with
  #                    quiescent of ldirectord and inhibit_on_failure of
  #                    keepalived.
  #   "drain_timeout"  The same for drain_timeout at most, and then it is
  #                    removed: what still works has that long, and what hangs
  #                    has an end.
  on_failure = "remove"

  # How long a real server that a reload removes from the service keeps its
  # connections, and one that fails with on_failure = "drain_timeout": its row
  # stays, with weight 0, until it has none for some seconds, or this time is
  # over. 0 removes it at once, and with expire_nodest_conn its connections
  # end. A server with weight = 0 keeps its row and its connections for as long
  # as it is in the file.
  # 0s to 168h; default: 5m.
  drain_timeout = "5m"

  # Send all connections of a client to the same server. Without this block,
  # each connection is scheduled separately. Of the first connections of a
  # client, if it opens several at one moment, one may be sent elsewhere and
  # stays there: each processor of the director looks by itself whether the
  # client is known.
  persistence {
    # How long a client is remembered after its last connection, in whole
    # seconds.
    # 1s to 31 days; default: 5m.
    timeout = "300s"

    # Treat all clients in a network of this prefix length as one client, such
    # as clients behind several proxies. "255.255.255.0" means 24.
    # 1 to 32, with IPv6 1 to 128; default: the whole address.
    netmask = 32
  }

  # A check that a server must pass to be up. If there are several, it must
  # pass all of them, unless they are in a check "any". A real_server that has
  # checks of its own is checked by those instead. The default is check "tcp"
  # {} for a TCP service with a port, and check "ping" {} for any other.
  #   check "tcp"        A TCP connection can be established. By default, only
  #                      the server's kernel is asked, and its process does not
  #                      notice: lvsd sends a SYN of its own, for which it
  #                      needs no socket, and the answer is reset. Whoever does
  #                      not answer in a third of the timeout is asked by
  #                      connect(2), and so is everybody where that is not
  #                      possible, which is a finding. With send, expect or
  #                      tls, what it says is checked, too.
  #   check "udp"        Nobody says that the UDP port is closed, or, with
  #                      expect or reply, the server answers. A server that is
  #                      off is only noticed if it must answer, since a
  #                      datagram that is lost tells nothing.
  #   check "tls"        The server negotiates TLS, with a certificate that is
  #                      valid. Nothing else is said.
  #   check "http"       The server answers a request as expected. The answer
  #                      is read to its end, but not beyond 2 MiB or for longer
  #                      than a second, so that a check leaves no trace in the
  #                      server's log of errors.
  #   check "https"      The same over TLS. The server's certificate is
  #                      verified, see tls.
  #   check "grpc"       The server reports that it is serving, by gRPC's
  #                      protocol for that, grpc.health.v1. It is spoken by
  #                      HTTP/2, without TLS unless there is a tls block.
  #   check "dns"        A DNS server answers a question as expected.
  #   check "smtp"       A mail server greets, and takes this director for a
  #                      client. Nothing is sent.
  #   check "imap"       A server of mailboxes greets by IMAP, and lets a user
  #                      in if there is one.
  #   check "pop3"       A server of mailboxes greets by POP3, and lets a user
  #                      in if there is one.
  #   check "ftp"        An FTP server greets, lets a user in if there is one,
  #                      and has a file if one is named.
  #   check "nntp"       A news server tells the time, or has a newsgroup if
  #                      one is named.
  #   check "sip"        A SIP server answers a question for its abilities
  #                      (OPTIONS). With a tls block or transport = "tcp" it is
  #                      asked by TCP.
  #   check "ntp"        A time server knows the time: its clock is
  #                      synchronized. ntpd does not answer who asks too often
  #                      where it has "restrict limited": set interval = "16s".
  #   check "redis"      The server speaks Redis's protocol (Redis, Valkey,
  #                      KeyDB) and answers PING. One that still loads its data
  #                      does not.
  #   check "memcached"  The server tells its version by memcached's text
  #                      protocol. A login is for one that wants it in that
  #                      protocol (-Y).
  #   check "mysql"      The server accepts a login by MySQL's protocol
  #                      (MariaDB, MySQL), and answers a query as expected.
  #                      Without user, the check logs in as "lvsd" without a
  #                      password, and passes also where that is refused, since
  #                      it was judged: create this user without any rights, or
  #                      the server logs each check.
  #   check "postgres"   The server accepts a login by PostgreSQL's protocol,
  #                      and answers a query as expected. Without user, it must
  #                      only judge a login: the check asks as "lvsd" for the
  #                      database postgres, and goes when it is asked for a
  #                      password.
  #   check "ldap"       The directory accepts a bind, which is anonymous
  #                      without user, and an entry has what it should have, if
  #                      one is searched for (base, scope, filter or
  #                      attribute).
  #   check "radius"     The RADIUS server answers a login as it should, or,
  #                      without user, tells its status (RFC 5997). A server
  #                      answers nobody whom it does not know, and nobody who
  #                      has another secret: both are silence.
  #   check "ping"       The server answers an ICMP echo request.
  #   check "exec"       A program exits with status 0 in time. It is run for
  #                      each server, which its environment names:
  #                      LVSD_SERVICE, LVSD_SERVICE_ADDRESS, LVSD_SERVICE_PORT,
  #                      LVSD_FIREWALL_MARK, LVSD_SERVER, LVSD_SERVER_ADDRESS
  #                      and LVSD_SERVER_PORT. When its time is over it is
  #                      ended, with everything that it has started. At most 64
  #                      of them run at one time.
  #   check "file"       A file of this director exists, or holds a weight that
  #                      something else has worked out. To change what it
  #                      holds, write another file and rename it: what is read
  #                      while it is being written may fail the check.
  #   check "agent"      A program beside the server says how the server is, in
  #                      the words of HAProxy's agent-check: one line of "up",
  #                      "down", "fail" or "stopped", "ready", "drain" or
  #                      "maint", and a share of the weight such as "50%"; "#"
  #                      begins a reason. What it does not say is as it said
  #                      last: "ready" alone ends drain and maint, and "up"
  #                      alone ends down. maxconn and unknown words are
  #                      ignored.
  #   check "all"        All of the checks in it must pass. Several checks in a
  #                      row mean the same, so it is for use in check "any".
  #   check "any"        One of the checks in it must pass, or as many as
  #                      at_least says. The others may fail, and are shown. One
  #                      that could not be run since it was set up counts
  #                      neither way: the others decide.
  #   check "none"       The server is always considered up. This kind has no
  #                      arguments.
  check "https" {
    # The time from the start of one probe to the start of the next. A server
    # that refuses connections is probed again after a quarter of this time, up
    # to ten times in a row.
    # 10ms to 24h; default: 2s.
    interval = "2s"

    # The same while rise or fall is being counted: from the first result that
    # speaks against the server's state until that has changed, or a result
    # speaks for it again. A server that fails is out of the table sooner,
    # without more probes of those that do not. It replaces the quarter of the
    # interval after a refusal.
    # 10ms to 24h; default: the interval.
    fast_interval = "100ms"

    # The same while the server is down, until a probe passes. Raise it to
    # spare servers that are down for long.
    # 10ms to 24h; default: the interval.
    down_interval = "5s"

    # The same while the virtual service has had no packet for as long as that,
    # or for a minute, as on a Backup, unless results speak against the
    # server's state. It is the interval again a second or two after the first
    # packet, or when this director becomes Master: until then, a server that
    # has failed may be noticed as much later as this is longer.
    # 10ms to 24h; default: the interval.
    idle_interval = "30s"

    # The time limit for the whole probe, from connecting to reading the
    # answer. It may be longer than the interval: the next probe then begins
    # when this one ends.
    # 1ms to 24h; default: 1s, or the interval if that is shorter.
    timeout = "1s"

    # How many probes in a row must pass before a server that is down is
    # considered up.
    # 1 to 1000; default: 2.
    rise = 2

    # How many probes in a row must fail before a server that is up is
    # considered down. Lower it to react faster; raise it if servers are
    # sometimes slow.
    # 1 to 1000; default: 3.
    fall = 3

    # When a check could not be run for this long, because of a problem on this
    # director (no route, no socket), each further try counts as a failure. 0s
    # means never: the server keeps its state.
    # 0s to 24h; default: 0s.
    unknown_after = "0s"

    # The port to probe, if it is not the server's own. It is required if the
    # service has no port of its own.
    # Only with "tcp", "udp", "tls", "http", "https", "grpc", "dns", "smtp",
    # "imap", "pop3", "ftp", "nntp", "sip", "ntp", "redis", "memcached",
    # "mysql", "postgres", "ldap", "radius", "agent". 1 to 65535; default: the
    # server's.
    port = 443

    # The way of the check's packets, where it is not to be left to the
    # director's routes.
    # Only with "tcp", "udp", "tls", "http", "https", "grpc", "dns", "smtp",
    # "imap", "pop3", "ftp", "nntp", "sip", "ntp", "redis", "memcached",
    # "mysql", "postgres", "ldap", "radius", "ping", "agent".
    via {
      # The address of this director that the packets come from. The same files
      # are for all directors, so take it from a map of theirs by node.name.
      # An address; default: the kernel's choice.
      source = "192.168.1.1"

      # The port that the packets come from, or a range of them: "40000-40999".
      # A port or a range; default: the kernel's choice.
      source_ports = "40000-40999"

      # The network interface that the packets leave by, or that of a VRF.
      # A name of up to 15 bytes; default: as the routes say.
      interface = "eth1"

      # The firewall mark of the packets, which rules of routing and packet
      # filters see.
      # 1 to 4294967295; default: none.
      firewall_mark = 7

      # Their time to live, or hop limit: 1 reaches the director's own networks
      # only.
      # 1 to 255; default: the kernel's default.
      ttl = 1

      # Their codepoint of differentiated services, as 46 for expedited
      # forwarding.
      # 0 to 63; default: 0.
      dscp = 46

      # The version of the PROXY protocol that each connection begins with, for
      # servers that expect it of a load balancer before them. The check says
      # by it that nobody is behind it (LOCAL, or UNKNOWN by version 1, which
      # Postfix does not understand), and finishes the handshake.
      # "v1" or "v2"; default: none.
      proxy_protocol = "v2"
    }

    # The version of HTTP. Version 2 is negotiated over TLS, where the server
    # must choose it (ALPN h2); without TLS, it must be known that the server
    # speaks it (h2c, with prior knowledge).
    # Only with "http", "https". "1.1" or "2"; default: "1.1".
    version = "1.1"

    # The method of the request.
    # Only with "http", "https". Default: "GET".
    method = "GET"

    # The path of the request, including the query if there is one. Use a path
    # that fails when the service behind it fails.
    # Only with "http", "https". Default: "/".
    path = "/health?from=director"

    # The Host header of the request, for servers that host several sites.
    # Only with "http", "https". Default: the server's address and port.
    host = "www.example.org"

    # Additional headers of the request.
    # Only with "http", "https". A map; default: none.
    headers = { Accept = "text/html" }

    # The body of the request. Its Content-Type is set in headers, if the
    # server wants one.
    # Only with "http", "https". A text, or "hex:" and bytes in hexadecimal
    # digits; default: none.
    send = "{}"

    # How many redirects are followed, within the same server alone: one to
    # another scheme, host or port fails the check, since it says nothing of
    # this server. A redirect whose status is expected is an answer.
    # Only with "http", "https". 0 to 10; default: 0.
    follow_redirects = 2

    # The server is a proxy: it is asked for http://HOST/PATH as its clients
    # do, and answers with what it gets from there, so the check also fails
    # when that host does. Set host to one that is always there. The login is
    # the proxy's.
    # Only with "http", "https". Default: false.
    proxy = false

    # Whom the check logs in as. It needs no rights beyond what the check asks.
    # Only with "http", "https", "imap", "pop3", "ftp", "nntp", "redis",
    # "memcached", "mysql", "postgres", "ldap", "radius". Default: none.
    user = "lvsd"

    # The file that has the password, on one line; the password itself is never
    # in the configuration. Nobody but root and lvsd may be able to read it:
    # chown root:lvsd and chmod 0640, or lvsd's own with 0600. It is read again
    # when it changes, without a reload.
    # Only with "http", "https", "imap", "pop3", "ftp", "nntp", "redis",
    # "memcached", "mysql", "postgres", "ldap", "radius". An absolute path;
    # default: none.
    # password_file = "/etc/lvsd/check.password"

    # The name of a credential of systemd that has the password, in place of a
    # file (LoadCredential= or LoadCredentialEncrypted= in a drop-in of
    # lvsd.service). It is set when lvsd is started.
    # Only with "http", "https", "imap", "pop3", "ftp", "nntp", "redis",
    # "memcached", "mysql", "postgres", "ldap", "radius". A name; default:
    # none.
    password_credential = "web"

    # Which answers pass the check.
    # Only with "http", "https", "sip".
    expect {
      # The status codes, and ranges of status codes, that pass: ["200-299",
      # 304].
      # A list; default: ["200-299"].
      status = ["200-299", 304]

      # A regular expression (RE2 syntax) that must match somewhere in the
      # first 256 KiB of the body. A dollar sign matches only at its end, where
      # the server may close the connection in any way.
      # Default: none; any body passes.
      body = "in (good )?order"

      # Instead of body: a text that must come, anywhere in the first 256 KiB
      # of the body.
      # A text, or "hex:" and bytes in hexadecimal digits; default: none.
      # text = "in order"

      # A regular expression (RE2 syntax) that must not match in the first 256
      # KiB of the body.
      # Default: none.
      not = "(?i)error"

      # Headers that the answer must have, each with a regular expression (RE2
      # syntax) that its value must match: { Content-Type = "^text/html" }.
      # A map; default: none.
      headers = { Content-Type = "^text/html" }

      # The SHA-256 digest of the whole body, which has 1 MiB at most, in
      # hexadecimal digits. What comes is not unpacked.
      # Hexadecimal digits; default: none.
      sha256 = "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9"

      # The smallest size of the body.
      # 0 to 1048576; default: 0.
      min_bytes = 1

      # The largest size of the body, of which no more is then read.
      # 1 to 1048576; default: none.
      max_bytes = 65536
    }

    # How TLS is spoken, and how the server's certificate is verified. Without
    # this block, it must be valid for the check's host or, if that is not set,
    # for the server's address.
    # Only with "https".
    tls {
      # The name for which the certificate must be valid.
      # Default: host where the check has one, else the server's address.
      server_name = "www.example.org"

      # Verify the certificate. If false, any certificate is accepted.
      # Default: true.
      verify = true

      # A file of CA certificates (PEM) to trust instead of the system's. A
      # relative path is relative to the configuration's directory.
      # A path; default: the system's certificates.
      # ca_file = "ca.pem"

      # The oldest version of TLS that the server may choose.
      # "1.0", "1.1", "1.2" or "1.3"; default: "1.2".
      min_version = "1.2"

      # The certificate by which the check shows who it is, where the server
      # asks for one.
      client {
        # The file that has the certificate (PEM), followed by those between it
        # and its authority. A relative path is relative to the configuration's
        # directory. It is read again when it changes, without a reload.
        # A path; default: key_file, which then has both.
        # certificate_file = "client.pem"

        # The file that has its private key (PEM), without a password. Nobody
        # but root and lvsd may be able to read it: chown root:lvsd and chmod
        # 0640, or lvsd's own with 0600.
        # An absolute path; no default.
        key_file = "/etc/lvsd/client.key"
      }
    }
  }

  # A program that is run when the service or one of its servers has come into
  # a state: "up" or "down" of each server that has no such blocks of its own,
  # by its checks; "quorum_lost" and "quorum_reached" of the service: fewer
  # servers than min_healthy take connections, or enough again (without
  # min_healthy: none, or some). One at a time runs for each service, in the
  # order of what has happened; what has not begun when the state of the same
  # server changes again is left out. See "What hooks of services are told".
  on "quorum_lost" {
    run = ["/etc/lvsd/hooks/quorum", "web"]

    # Run it also for the state that lvsd finds: after its start, for a server
    # or a service that a reload has added, and for this block if it is new.
    # Default: false.
    at_start = false

    # For "down" and "quorum_lost" only: run it also when lvsd stops, for each
    # server that is up, or if there is a quorum.
    # Default: false.
    at_stop = false
  }

  # A server that the service is spread over. The label is its address, or any
  # name.
  real_server "compute-0-0" {
    # The server's address.
    # An address; default: the label.
    address = "192.168.1.4"

    # The server's port. It can differ from the service's port only if forward
    # is "nat". With firewall_mark, packets keep the port that the client sent
    # them to unless this is set.
    # 1 to 65535; default: the service's.
    port = 8080

    # The server's share of the connections relative to the other servers. A
    # server with weight 0 gets no new connections and keeps those that it has.
    # 0 to 2147483647; default: 1.
    weight = 3

    # The servers of tier 1 serve while enough of them take connections
    # (min_healthy, recover_healthy; by default one is enough), else those of
    # tier 2 in their place, and so on. All are checked always. Those of
    # another tier than serves keep the connections that they have, with weight
    # 0, and with persistence only if the tiers before them serve no more. When
    # no tier has enough, the fallback serves. Without one, the last tier is a
    # fallback that is checked, and may have several servers: one of them is
    # enough; without any, all servers that are up serve.
    # 1 to 4; default: 1.
    tier = 1

    # The number of connections at which the server gets no new ones. 0 means
    # no limit. Set it if a server fails when it is overloaded. The kernel also
    # counts connections that have ended until it forgets them, after 2 minutes
    # with TCP and 5 with UDP: with 10 short ones a second, those are 1,200.
    # Once all servers are at their thresholds, clients are refused; see
    # when_full of the fallback.
    # 0 to 4294967295; default: 0.
    upper_threshold = 1000

    # A server that has reached upper_threshold gets new connections again once
    # it has fewer than this. 0 means three quarters of upper_threshold.
    # 0 to 4294967295; default: 0.
    lower_threshold = 800

    # Whether this server waits for its checks before it gets connections, if
    # that differs from the service's setting.
    # "check" or "up"; default: the service's.
    initial = "up"

    # What becomes of this server while it is down, if that differs from the
    # service's setting.
    # "remove", "drain" or "drain_timeout"; default: the service's.
    on_failure = "drain"

    # A check that this server must pass to be up. It replaces the service's
    # checks.
    check "tcp" {}

    # A program that is run when this server has come into a state: "up" or
    # "down", by its checks. It replaces the service's blocks for these.
    on "down" { run = ["/etc/lvsd/hooks/server", "compute-0-0"] }
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

  # A destination that is used while no real server with a weight above 0 is
  # up, such as a web server with an apology page. It is not checked unless it
  # has checks of its own. There may be several, which share the connections,
  # those that are up: they are kept in the table then, with weight 0, as the
  # servers of a last tier.
  fallback {
    # The address of the destination. With NAT, it can't be a loopback address.
    # An address; no default.
    address = "10.13.0.200"

    # The server's port. It can differ from the service's port only if forward
    # is "nat". With firewall_mark, packets keep the port that the client sent
    # them to unless this is set.
    # 1 to 65535; default: the service's.
    port = 8081

    # Use it also while every real server that is up has reached its
    # upper_threshold. It keeps its connections when they have room again,
    # unless the service has persistence.
    # Default: false.
    when_full = false
  }
  # To use a web server on the director's own port 80 instead, as many files for
  # ldirectord do: fallback with address = "127.0.0.1" and forward = "direct".
}

virtual_service "sip" {
  address  = "10.13.0.201"
  port     = 5060
  protocol = "udp"
  forward  = "tunnel"

  # With UDP: schedule every packet separately, even packets from the same
  # client and port. Set it if one client sends many independent requests, as a
  # DNS resolver may. With NAT, clients get the answers from the servers' own
  # addresses.
  # Default: false.
  one_packet = true

  persistence {
    # The persistence engine, if clients are not told apart by their address.
    # With "sip" (SIP over UDP), they are told apart by the Call-ID.
    # "sip"; default: none.
    engine = "sip"
  }

  # How packets are encapsulated if forward is "tunnel". Without this block,
  # they are encapsulated as IP in IP.
  tunnel {
    # The encapsulation: IP in IP, GUE (over UDP) or GRE. The servers must
    # expect the same.
    # "ipip", "gue" or "gre"; default: "ipip".
    type = "gue"

    # The UDP port on which the servers expect GUE packets. It is required for
    # type "gue", and not allowed for other types.
    # 1 to 65535; no default.
    port = 5555

    # The checksum of the outer packet. "plain" is available with gue and gre,
    # "remote" (remote checksum offload) with gue only.
    # "none", "plain" or "remote"; default: "none".
    checksum = "plain"
  }

  real_server "192.168.1.4" {
    check "tcp" {
      via {
        # Ask the server at the virtual address, by way of the kernel's IPVS,
        # as clients' packets reach it. A server that has lost the virtual
        # address on lo, or its end of the tunnel, fails then. For services
        # with forward = "direct" or "tunnel". See "Checks by the forwarding
        # path".
        # Default: false.
        forwarded = true
      }
    }
  }

  real_server "192.168.1.5" {
    # The forwarding method for this server, if it differs from the service's.
    # "nat", "direct" or "tunnel"; default: the service's.
    forward = "direct"
  }

  real_server "192.168.1.6" {
    # How packets to this server are encapsulated. It replaces the service's
    # tunnel block.
    tunnel {
      type = "gre"
    }
  }

  fallback {
    address = "192.168.1.7"

    # The forwarding method for this server, if it differs from the service's.
    # "nat", "direct" or "tunnel"; default: the service's.
    forward = "tunnel"

    # How packets to this server are encapsulated. It replaces the service's
    # tunnel block.
    tunnel {
      type = "ipip" # as in a service; default: the service's
    }

    # A check that the fallback must pass to be used. The service's checks are
    # not for it. If it does not pass, and no other fallback does, the real
    # servers serve on that are left.
    check "ping" {}
  }
}

# A service with several addresses, protocols and ports. With a persistence
# block, a client stays on its server at all of them: lvsd gives the packets a
# firewall mark, by a table of nftables of its own.
virtual_service "voip" {
  # In place of address: several virtual addresses of one family, and ranges of
  # them: ["10.13.0.200", "10.13.0.210-10.13.0.219", "10.13.0.64/28"]. See
  # marked.
  # A list; default: none.
  addresses = ["10.13.0.200"]

  # In place of port: several ports, and ranges of them: [80, 443,
  # "16384-32767"]. A server without a port of its own gets packets at the port
  # that the client sent them to, and a check without one asks the first of
  # these. See marked.
  # A list; default: none.
  ports = [5060, "16384-32767"]

  # In place of protocol: several, such as ["tcp", "udp"]. See marked.
  # A list; default: none.
  protocols = ["tcp", "udp"]

  # Make the service one of the kernel, however many addresses, protocols and
  # ports it has: a table of nftables that is lvsd's own, inet lvsd-services,
  # gives its packets a firewall mark (see marks in the director block), and
  # persistence sends a client to the same server at all of them. If false,
  # each address with each protocol and port is a virtual service of the
  # kernel, with the same servers and checks. What has a persistence block or
  # is more than 64 such services is marked by default. When a reload changes
  # it, connections that are open keep their servers for drain_timeout.
  # Default: as needed.
  marked = true

  forward = "nat"

  # With forward = "nat": let packets reach the servers in the name of this
  # director, so that servers answer it whatever their routes are, and clients
  # may be in the servers' network (one-arm NAT). "masquerade" takes the
  # address of the interface by which they leave, or write an address of this
  # director's own. The servers, and their logs, see all clients as one; the
  # director keeps an entry of connection tracking for each connection
  # (net.ipv4.vs.conntrack, which is set for it), which costs memory and
  # processor time, and ends at nf_conntrack_max; and each pair of director and
  # server has 64,512 ports for the connections that are open. The packets are
  # known by a firewall mark, as with marked; other NAT of the machine stays as
  # it is.
  # "masquerade" or an address; default: none.
  source_nat = "masquerade"

  persistence {}

  check "tcp" {} # asks the first port

  real_server "192.168.1.4" {} # without a port, packets keep the client's
}

# A service by firewall mark: it consists of all packets that a firewall rule
# marks, whatever their address and port, such as all ports of a protocol. With
# nftables, for example:
#   nft add table ip lvs
#   nft 'add chain ip lvs prerouting { type filter hook prerouting priority mangle; }'
#   nft add rule ip lvs prerouting ip daddr 10.13.0.200 tcp dport '{ 21, 1024-65535 }' meta mark set 7
virtual_service "ftp" {
  # Instead of address, port and protocol: the service consists of all packets
  # that a firewall rule of yours marks with this number. For several
  # addresses, protocols and ports, lvsd can have the rule itself: see
  # addresses, ports and marked.
  # 1 to 4294967295; default: none.
  firewall_mark = 7

  # The address family of the packets, if firewall_mark is set.
  # "ipv4" or "ipv6"; default: "ipv4".
  family  = "ipv4"
  forward = "nat"

  persistence {}

  check "tcp" {
    port = 21 # required here, since the service has no port
  }

  real_server "192.168.1.4" {} # without a port, packets keep the client's
}

# ---- Checks

# A service whose servers must pass checks of other kinds.
virtual_service "cache" {
  address = "10.13.0.200"
  port    = 6379
  forward = "nat"

  check "tcp" {
    # Leave out the last packet of the handshake, so that the server's process
    # does not see the connection: it is not logged, and takes no place in a
    # queue. If false, the connection is established, and closed in order.
    # Only with "tcp". Default: true, unless there is send, quit, expect, tls,
    # or forwarded in the via block.
    half_open = false

    # What is sent when the connection is established. Write a line's end as
    # the protocol has it: "PING\r\n".
    # Only with "tcp". A text, or "hex:" and bytes in hexadecimal digits;
    # default: none.
    send = "PING\r\n"

    # What is sent in the end, so that the server knows that nothing went
    # wrong: "QUIT\r\n".
    # Only with "tcp". A text, or "hex:" and bytes in hexadecimal digits;
    # default: none.
    quit = "QUIT\r\n"

    # What the server must answer. Without this block, nothing is waited for.
    # Only with "tcp", "udp".
    expect {
      # A text that must come, anywhere in the first 16 KiB.
      # A text, or "hex:" and bytes in hexadecimal digits; default: none.
      text = "+PONG"

      # Instead of text: a regular expression (RE2 syntax) that must match
      # somewhere in the first 16 KiB. A dollar sign matches where the server
      # closes the connection, and with (?m) at the end of a line.
      # Default: none.
      # pattern = "^\\+PONG"

      # A regular expression (RE2 syntax) that must not match in what has come
      # when text or pattern is found; without these, in the first line.
      # Default: none.
      not = "^-"
    }

    # Speak TLS from the first byte, and verify the server's certificate, which
    # must be valid for the server's address unless this block says otherwise.
    # It can be empty.
    # Only with "tcp", "sip", "redis", "memcached".
    tls {
      server_name = "cache.example.org"
    }
  }

  check "smtp" {
    port = 25

    # What the director is called in the greeting (EHLO, and HELO where that is
    # refused).
    # Only with "smtp". Default: its address, as [192.0.2.1].
    name = "lvs1.example.org"

    # How the server must greet.
    # Only with "smtp".
    expect {
      # The code of the greeting. With another one than 220, such as the 554 of
      # a server that takes no mail, nothing else is asked.
      # 200 to 599; default: 220.
      greeting = 220
    }

    # Speak TLS, and verify the server's certificate, which must be valid for
    # the server's address unless this block says otherwise. It can be empty.
    # Only with "smtp", "imap", "pop3", "ftp", "nntp", "ldap".
    tls {
      # Begin in plain text, and ask the server for TLS then (STARTTLS, STLS or
      # AUTH TLS, as the protocol calls it). A server that does not offer it
      # fails: somebody on the way may have taken the offer out. If false, TLS
      # is spoken from the first byte.
      # Default: false.
      starttls    = true
      server_name = "mail.example.org"
    }
  }

  check "imap" {
    port = 143

    # Whom the check logs in as. It needs no rights beyond what the check asks.
    # Only with "imap", "pop3", "ftp", "nntp", "redis", "memcached", "mysql",
    # "postgres", "ldap", "radius". Default: none.
    user = "lvsd"

    # The file that has the password, on one line; the password itself is never
    # in the configuration. Nobody but root and lvsd may be able to read it:
    # chown root:lvsd and chmod 0640, or lvsd's own with 0600. It is read again
    # when it changes, without a reload.
    # Only with "imap", "pop3", "ftp", "nntp", "redis", "memcached", "mysql",
    # "postgres", "ldap", "radius". An absolute path; default: none.
    password_file = "/etc/lvsd/mail.password"
    tls {
      starttls = true
    }
  }

  check "pop3" {
    port = 995
    tls {}
  }

  check "ftp" {
    port = 21
    user = "anonymous"

    # A file that the user must see, whose size is asked. With expect, it is
    # read in passive mode, from the server itself, and may have 1 MiB.
    # Only with "ftp". A path; default: none.
    file = "pub/lvsd.txt"

    # What must be in the file.
    # Only with "ftp".
    expect {
      text = "well"
    }
  }

  check "nntp" {
    port = 119

    # A newsgroup that the server must have.
    # Only with "nntp". Default: none; the server is asked for its time.
    group = "comp.lang.go"
  }

  check "redis" {
    # Whom the check logs in as. It needs no rights beyond what the check asks.
    # Only with "redis", "memcached", "mysql", "postgres", "ldap", "radius".
    # Default: none.
    user = "lvsd"

    # The file that has the password, on one line; the password itself is never
    # in the configuration. Nobody but root and lvsd may be able to read it:
    # chown root:lvsd and chmod 0640, or lvsd's own with 0600. It is read again
    # when it changes, without a reload.
    # Only with "redis", "memcached", "mysql", "postgres", "ldap", "radius". An
    # absolute path; default: none.
    # password_file = "/etc/lvsd/redis.password"

    # The name of a credential of systemd that has the password, in place of a
    # file (LoadCredential= or LoadCredentialEncrypted= in a drop-in of
    # lvsd.service). It is set when lvsd is started.
    # Only with "redis", "memcached", "mysql", "postgres", "ldap", "radius". A
    # name; default: none.
    password_credential = "redis"

    # What the server must be.
    # Only with "redis". "any", "master" or "replica"; default: "any".
    #   "master"   It takes what is written. After a failover, it is another
    #              one.
    #   "replica"  It copies a master.
    role = "master"

    tls {}
  }

  check "mysql" {
    # The address to probe, if it is not the server's own: that of the database
    # behind it, or of the server's management interface. Servers whose checks
    # ask the same share one probe; when it fails, all of them are down.
    # Only with "tcp", "udp", "tls", "http", "https", "grpc", "dns", "smtp",
    # "imap", "pop3", "ftp", "nntp", "sip", "ntp", "redis", "memcached",
    # "mysql", "postgres", "ldap", "radius", "ping", "agent". An address;
    # default: the server's.
    address = "192.168.1.77"
    user    = "lvsd"

    # The database that is asked.
    # Only with "mysql", "postgres". Default: that of the user, or none.
    database = "shop"

    # What is asked after the login, in SQL. Give the user no rights beyond it.
    # Only with "mysql", "postgres". Default: nothing.
    query = "SELECT ready FROM state"

    # What the query's rows must have: text that the columns of each, with tabs
    # between, and a line's end make. Without this block, the query must only
    # not fail.
    # Only with "mysql", "postgres".
    expect {
      text = "1"
    }
  }

  check "ldap" {
    port = 389

    # The name of the entry that is searched for, or below which one is:
    # "ou=people,dc=example,dc=org".
    # Only with "ldap". Default: the directory itself (the root DSE).
    base = "ou=people,dc=example,dc=org"

    # How far below base is searched.
    # Only with "ldap". "base", "one" or "sub"; default: "base".
    #   "base"  That entry alone.
    #   "one"   The entries right below it.
    #   "sub"   It, and all below it.
    scope = "sub"

    # Which entry is searched for (RFC 4515): "(uid=lvsd)".
    # Only with "ldap". Default: any: (objectClass=*).
    filter = "(uid=lvsd)"

    # An attribute that the first entry found must have.
    # Only with "ldap". Default: none.
    attribute = "description"

    # What the attribute's values must have, each with a line's end behind it.
    # Without this block, any value passes.
    # Only with "ldap".
    expect {
      text = "ready"
    }

    # Speak TLS, and verify the server's certificate, which must be valid for
    # the server's address unless this block says otherwise. It can be empty.
    # Only with "ldap".
    tls {
      # Begin in plain text, and ask the server for TLS then. If false, TLS is
      # spoken from the first byte (LDAPS).
      # Default: false.
      starttls = true
    }
  }

  check "radius" {
    port = 1812

    user = "lvsd"

    password_credential = "radius-password"

    # The file that has the secret which the server shares with this director,
    # under the same rules as password_file.
    # Only with "radius". An absolute path; default: secret_credential.
    # secret_file = "/etc/lvsd/radius.secret"

    # The name of a credential of systemd that has it, in place of a file.
    # Only with "radius". A name; default: secret_file.
    secret_credential = "radius"

    # What the server must answer to the login. A user who must be rejected
    # needs no account.
    # Only with "radius". "accept", "reject", "challenge" or "any"; default:
    # "accept".
    #   "any"  Any of these: the server has judged the login.
    answer = "reject"
  }

  check "udp" {
    port = 161

    # The datagram that is sent. Without it, it has no data, which most servers
    # ignore.
    # Only with "udp". A text, or "hex:" and bytes in hexadecimal digits;
    # default: none.
    send = "hex: 30 29 02 01"

    # The server must answer. If false, the check passes when its timeout is
    # over and nobody has refused the datagram.
    # Only with "udp". Default: true with expect, else false.
    reply = true
    expect {
      text = "hex: 30"
    }
  }

  check "exec" {
    # The program's absolute path, and its arguments. There is no shell:
    # nothing is expanded. Nobody but root and lvsd's user may be able to
    # change the program or its directories.
    # Only with "exec". A list; no default.
    run = ["/etc/lvsd/programs/load", "--json"]

    # The user that the program runs as. lvsd must be able to become that user:
    # the unit that is shipped does not let it, and its drop-in programs.conf
    # does. Without it, the program has no privileges at all.
    # Only with "exec". The name of a user; default: lvsd's own.
    user = "nobody"

    # When the program has ended, end everything that it has left running. If
    # false, what it has put into a session of its own (setsid) stays.
    # Only with "exec". Default: false.
    kill_children = false

    # The program's statuses from 2 to 255 pass as well, and set the server's
    # weight, in place of the configured one, to the status less 2: 2 drains
    # the server, and 12 gives it a weight of 10. Status 0 gives it the
    # configured weight again, and 1 and every other end are failures. It is
    # what keepalived calls misc_dynamic.
    # Only with "exec". Default: false.
    status_weight = true
  }

  check "agent" {
    port = 5555

    # What is said to the agent when the connection is established, with the
    # end of a line if it waits for that: "web1\n".
    # Only with "agent". A text, or "hex:" and bytes in hexadecimal digits;
    # default: none.
    send = "web1\n"

    # The check fails if the agent does not answer, or says nothing that is
    # understood. If false, everything is as it said last, or as if there were
    # no agent if it has never said anything: an agent that ends does not take
    # its server out.
    # Only with "agent". Default: false.
    required = false
  }

  check "sip" {
    port = 5060

    # How the server is asked. A datagram is not sent twice.
    # Only with "sip". "udp" or "tcp"; default: "udp", and with a tls block
    # "tcp".
    transport = "udp"

    # Whom the question is for. A server that knows only its own domains
    # answers for these: "sip:example.org".
    # Only with "sip". Default: the server's address, as sip:192.0.2.1.
    uri = "sip:example.org"

    # Who asks, for servers that answer only those whom they know.
    # Only with "sip". Default: lvsd at the director's address, as
    # sip:lvsd@192.0.2.1.
    from = "sip:lvsd@example.org"
    expect {
      # The status codes, and ranges of status codes, that pass. A server that
      # answers 404 or 405 is alive too, if that is what it says to strangers.
      # A list; default: ["200-299"].
      status = ["200-299"]
    }
  }

  check "ntp" {
    port     = 123
    interval = "16s"

    # How good the server's time must be.
    # Only with "ntp".
    expect {
      # The greatest stratum that passes: 1 is a server with a clock of its
      # own, such as a receiver of satellites, and 2 one that asks it.
      # 1 to 15; default: 15.
      stratum = 3

      # By how much the server's clock and this director's may differ, beyond
      # what the packets' way may account for. All servers fail if the
      # director's own clock is wrong, so it should be well kept, and the
      # offset not be small.
      # 1ms to 24h; default: any.
      offset = "250ms"
    }
  }

  check "any" {
    # How many of the checks in it must pass.
    # Only with "any". 1 to 100; default: 1.
    at_least = 1

    # One of the checks that it consists of, with options of its own.
    # Only with "all", "any".
    check "http" { port = 8080 }
    check "all" {
      check "tcp" { port = 8081 }
      check "tcp" { port = 8082 }
    }
  }

  check "file" {
    # The path of the file, which is absolute. A symbolic link counts as a
    # file, and is not followed.
    # Only with "file". A path; no default.
    path = "/run/lvsd/weight"

    # What the whole number means that the file must hold: from 0 to 100, how
    # many percent of the configured weight the server has ("percent"); or,
    # from 0 to 10000, which weight it has in place of that ("absolute"). 0
    # drains the server. A file that is missing, or holds no such number, fails
    # the check.
    # Only with "file". "none", "percent" or "absolute"; default: "none".
    weight = "percent"
  }

  check "file" {
    path = "/run/lvsd/maintenance"

    # The check passes while there is no such file: create it to take the
    # servers out.
    # Only with "file". Default: false.
    absent = true
  }

  check "dns" {
    port = 53

    # The domain name that is asked for. A server that is asked by resolvers
    # knows only its own zones: write one of these.
    # Only with "dns". Default: ".".
    name = "example.org"

    # The type of the records.
    # Only with "dns". "A", "AAAA", "CNAME", "MX", "NS", "PTR", "SOA", "SRV" or
    # "TXT"; default: "SOA".
    type = "SOA"

    # How the server is asked. By UDP, it is asked again by TCP where its
    # answer has no room.
    # Only with "dns". "udp" or "tcp"; default: "udp".
    transport = "udp"

    # What the answer must be.
    # Only with "dns".
    expect {
      # The code of the answer. With NOERROR, there must be a record of the
      # type.
      # "NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP" or "REFUSED";
      # default: "NOERROR".
      code = "NOERROR"

      # Records that must be in the answer, among any others, as zone files
      # have them: ["192.0.2.1"], ["10 mail.example.org"].
      # A list; default: none; any record passes.
      answers = ["ns1.example.org admin.example.org 2026112701 3600 900 604800 300"]

      # The address of another server of the zone, and its port if that is not
      # 53: "192.0.2.53". The zone's serial there must not be newer, so that a
      # server which has missed changes fails. That server is asked by each
      # probe, too; while it does not answer, this is not looked at.
      # An IP address, or one with a port; default: none.
      primary = "192.0.2.53"
    }
  }

  check "tls" {
    port = 443

    # The name for which the certificate must be valid.
    # Only with "tls". Default: host where the check has one, else the server's
    # address.
    server_name = "cache.example.org"

    # Verify the certificate. If false, any certificate is accepted.
    # Only with "tls". Default: true.
    verify = true

    # A file of CA certificates (PEM) to trust instead of the system's. A
    # relative path is relative to the configuration's directory.
    # Only with "tls". A path; default: the system's certificates.
    # ca_file = "ca.pem"

    # The oldest version of TLS that the server may choose.
    # Only with "tls". "1.0", "1.1", "1.2" or "1.3"; default: "1.2".
    min_version = "1.2"
  }

  real_server "192.168.1.4" {}
}

# ---- Defaults

# Defaults for options that would otherwise be repeated in each virtual
# service. There can be only one such block; it applies to all files.
defaults {
  # The defaults for checks of one kind: a check has these values for the
  # options that its own block leaves out, and so has the check of a service
  # without any. The kind "*" gives the timing (interval to fall) to all kinds;
  # the defaults of a kind take precedence.
  check "*" {
    interval = "2s"
  }

  check "tls" {
    # The certificate by which the check shows who it is, where the server asks
    # for one.
    # Only with "tls".
    client { key_file = "/etc/lvsd/client.pem" }
  }

  check "grpc" {
    # The service whose health is asked for, as its definition has it:
    # "orders.v1.Orders".
    # Only with "grpc". Default: none; the server as a whole.
    service = "orders.v1.Orders"
  }

  check "http" {
    path = "/health"
    expect { md5 = "5eb63bbbe01eeed093cb22bb8f5acdc3" }
  }
}

# Addresses, routes and rules that this director has always, without a virtual
# router. They are put back when somebody removes them, adopted where they are
# there already, and removed, also those, when they leave the configuration and
# when lvsd stops, after it has handed over. If all of lvsd's processes are
# killed, they stay until its next start, which removes what has left the
# configuration (an address before Linux 5.18 stays). Addresses of lvsd have
# protocol 112, as its routes and rules have. What the director itself needs to
# be reached belongs in the network configuration of its system.
static {
  # An address of this director. The label is the address; without a prefix
  # length it is a /32 or a /128. It can't be a virtual one.
  address "10.14.0.15/24" {
    # The network interface to which the address is added.
    # A name of up to 15 bytes; no default.
    interface = "eth1"
    label     = "eth1:old"
  }

  # A route of this director. The label is the destination: a network, or
  # "default".
  route "10.15.0.0/16" { via = "10.14.0.1" }

  # A rule of policy routing of this director.
  rule {
    priority = 101
    table    = 254
  }
}
