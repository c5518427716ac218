package config

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/lvsd/lvsd/internal/block"
)

// The options of the block ipvs are named as the kernel names its parameters
// (linux/Documentation/networking/ipvs-sysctl.rst).
var ipvsTable = block.NewTable("ipvs", func() []block.Entry[IPVS] {
	flag := func(name, help string) block.Entry[IPVS] {
		return block.FlagIn(name, help, parameters).Unless(asItIs)
	}
	count := func(name string, lo, hi int64, help string) block.Entry[IPVS] {
		return block.CountIn(name, help, lo, hi, parameters).Unless(asItIs)
	}
	timeout := func(name, help string, of func(*Timeouts) *time.Duration) block.Entry[IPVS] {
		return block.Duration(name, help, 0, time.Second, 744*time.Hour, func(i *IPVS) *time.Duration { return of(&i.Timeouts) }).Unless(asItIs)
	}
	const defence = "0: never, 1: while memory is short, 3: always."
	return []block.Entry[IPVS]{
		timeout("tcp_timeout", "How long the kernel remembers an established TCP connection without packets, in whole seconds. The kernel's default is 15m. A client that is silent for longer is reset, so it should be longer than what the servers allow.",
			func(t *Timeouts) *time.Duration { return &t.TCP }),
		timeout("tcp_fin_timeout", "The same for a TCP connection of which one side has said that it ends. The kernel's default is 2m.",
			func(t *Timeouts) *time.Duration { return &t.TCPFin }),
		timeout("udp_timeout", "The same for UDP: after that time, a client may be sent to another server. The kernel's default is 5m.",
			func(t *Timeouts) *time.Duration { return &t.UDP }),
		flag("expire_nodest_conn", "When a real server leaves the IPVS table, end its connections at their next packet: a UDP client is sent to another server, and a TCP client is reset. With the kernel's default, 0, these packets are dropped until the connection has timed out, after 5 minutes with UDP and 15 with TCP, or go on to the server if it comes back meanwhile."),
		flag("expire_quiescent_template", "Send a client of a persistent service to another server once the one that it is bound to has weight 0. With the kernel's default, 0, its new connections go on to that server until the binding ends, so that one that is drained may never be empty."),
		count("conn_reuse_mode", 0, 3, "What becomes of a new connection from an address and port of an old one. 1, the kernel's default, chooses a server anew where the old one is over (TIME_WAIT by NAT; 2 and 3: FIN_WAIT, too, for direct routing). 0 sends it to the server of the old one and, before Linux 5.16, makes expire_nodest_conn have no effect."),
		flag("conntrack", "Keep an entry of connection tracking for each connection of IPVS, for rules of a firewall that ask for one, and for masquerading. It costs memory and processor time for each connection, and nf_conntrack_max bounds them all."),
		flag("snat_reroute", "Route what servers behind NAT answer as if it came from this director, so that rules by its address count. The kernel's default is 1; without such rules, 0 saves a look at the routes for each packet."),
		flag("nat_icmp_send", "Tell a real server behind NAT that sends packets of a connection which is not in the table that its destination cannot be reached."),
		flag("pmtu_disc", "Ask senders for smaller packets where theirs do not fit the way to the real server. The kernel's default is 1. 0 fragments what goes by tunnel, if the network drops those requests."),
		flag("schedule_icmp", "Begin a connection for an ICMP error, too, that is about none in the table."),
		flag("sloppy_tcp", "Begin a TCP connection with any packet, not only with a SYN: connections go on after this director has taken over without their state, to whatever server the scheduler chooses. Use it with scheduler \"sh\" or \"mh\", which choose the same on both directors."),
		flag("sloppy_sctp", "Begin an SCTP association with any packet, too."),
		flag("ignore_tunneled", "Leave tunnelled packets alone that arrive here, where this director is a real server by tunnel as well."),
		flag("cache_bypass", "Where a service for a transparent cache has no server left, send the packets on to the address that they are for."),
		flag("backup_only", "Forward nothing by IPVS while this director's sync daemon is a backup, and not a master. Other programs need it where the directors are real servers of each other, by direct routing or tunnel, since packets would loop; lvsd has such a service in the table of the Master alone. With it, clients are refused for some milliseconds after a takeover, until the daemon is a master."),
		count("drop_entry", 0, 3, "Whether connections that are half open are dropped at random, against floods of SYNs. "+defence),
		count("drop_packet", 0, 3, "Whether packets for real servers are dropped at random. "+defence),
		count("secure_tcp", 0, 3, "Whether shorter timeouts are used for TCP connections that are not established. "+defence),
		count("amemthresh", 1, 1<<31-1, "With how many free pages memory counts as short for these three. The kernel's default is 1024."),
		count("am_droprate", 1, 1<<31-1, "For drop_packet = 3: one of so many packets is dropped. The kernel's default is 10."),
		flag("run_estimation", "Work out rates for the statistics. The kernel's default is 1. With 0, lvsd status has no rates, and a table of ten thousand services takes less processor time."),
		block.TextIn("est_cpulist", "The processors on which the kernel works out rates, by their numbers, such as \"0\" or \"2,4-7\".",
			estimators, parameters).Within("numbers and ranges of numbers").Unless(asItIs),
		count("est_nice", -20, 19, "The niceness of what works out rates. The kernel's default is 0."),
		block.TextIn("sync_threshold", "After how many packets the sync daemon tells the other director of a connection, and after how many more again: \"3 50\" is the kernel's default. \"0 50\" tells of it at once.",
			syncThreshold, parameters).Within("two numbers, the first below the second").Unless(asItIs),
		count("sync_refresh_period", 0, 1<<31-1, "How many seconds the timer of a connection must have changed by before the sync daemon tells of it again. The kernel's default is 0: the number of packets decides alone."),
		count("sync_retries", 0, 3, "How often the sync daemon repeats what it has told within sync_refresh_period. The kernel's default is 0."),
		flag("sync_persist_mode", "Of a persistent service, tell only which client is bound to which server, not each connection. Connections survive a takeover then with sloppy_tcp."),
		count("sync_ports", 1, 64, "How many threads and UDP ports, from 8848 on, the sync daemon uses: 1, 2, 4 and so on. It must be the same on both directors. The kernel's default is 1; a daemon that runs keeps its number."),
		count("sync_qlen_max", 1, 1<<31-1, "How many messages of the sync daemon may wait to be sent. The kernel's default is a share of the memory."),
		count("sync_sock_size", 0, 1<<31-1, "The size of the sync daemon's buffer in the kernel, in bytes. 0, the default, is the kernel's usual one."),
		count("sync_version", 0, 1, "The version of the sync daemon's protocol. The kernel's default is 1; 0 is for kernels before 2.6.39."),
	}
})

// asItIs is the default of a parameter.
const asItIs = "as it is"

func parameters(i *IPVS) *map[string]string { return &i.Parameters }

// estimators checks the processors of est_cpulist.
func estimators(b *block.Body, s string, at block.Place) (string, bool) {
	if _, err := Processors(s).List(); err != nil {
		b.Mistake(at, "Invalid est_cpulist", "%s.", sentence(fmt.Errorf("%w: write numbers from 0 to %d, such as \"0\" or \"2,4-7\"", err, maxProcessor)))
		return "", false
	}
	return s, true
}

// syncThreshold checks both numbers of sync_threshold.
func syncThreshold(b *block.Body, s string, at block.Place) (string, bool) {
	fields := strings.Fields(s)
	if len(fields) == 2 {
		threshold, err1 := strconv.ParseUint(fields[0], 10, 31)
		period, err2 := strconv.ParseUint(fields[1], 10, 31)
		if err1 == nil && err2 == nil && (threshold < period || period == 0) {
			return fmt.Sprintf("%d %d", threshold, period), true
		}
	}
	b.Mistake(at, "Invalid sync_threshold", "%q is not two numbers of which the first is below the second: write \"3 50\".", s)
	return "", false
}
