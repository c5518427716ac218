package config

import (
	"fmt"
	"net/netip"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/block"
	"github.com/lvsd/lvsd/ipvsctl"
)

var directorTable = block.NewTable("director", func() []block.Entry[Director] {
	return []block.Entry[Director]{
		block.Duration("start_delay", "The longest time that a virtual router waits after the daemon starts for the IPVS table to be loaded and for the first result of every check. Raise it if checks take long, so that a director does not take over before it knows which servers are up.",
			10*time.Second, 0, time.Hour, func(d *Director) *time.Duration { return &d.StartDelay }),
		block.Count("probes_in_flight", "The largest number of probes in flight at one time. Probes beyond it wait, and their timeout starts only when they do. Lower it if the director may open only a few sockets.",
			checker.DefaultInFlight, 1, 65536, func(d *Director) *int { return &d.ProbesInFlight }),
		block.Count("probes_per_second", "The largest number of probes that begin in a second, of all servers together. Probes beyond it begin later, those that have waited longest first. Set it if the network or the servers do not stand many new connections at once, as at the start. 0 means no bound.",
			0, 0, 1_000_000, func(d *Director) *int { return &d.ProbesPerSecond }),
		block.Flag("isolation", "When every check of every real server is silent at once (no answer, unreachable), and there are two addresses or more, take this director to be cut off: the servers stay in the table, and the priority of its virtual routers falls to 1, so that a director that sees them becomes Master. One that does not preempt is offered the role once; one that is cut off, too, does not take it. If false, the servers count as down.",
			true, func(d *Director) *bool { return &d.Isolation }),
		block.Count("certificate_days", "How many days before its end the certificate of a real server is a finding, and a warning in the log. Only certificates that checks have seen count. 0 means never.",
			14, 0, 3650, func(d *Director) *int { return &d.CertificateDays }),
		block.Flag("exclusive_table", "Treat every row of the IPVS table as the daemon's own, and delete the rows that are not in the configuration. Set it only if nothing else uses IPVS on this machine.",
			false, func(d *Director) *bool { return &d.ExclusiveTable }),
		block.Flag("keep_table", "Leave the IPVS table as it is when the daemon stops, so that established connections continue. If false, the daemon removes its rows when it stops.",
			true, func(d *Director) *bool { return &d.KeepTable }),
		block.Text("marks", "The firewall marks that lvsd gives to packets, by a table of nftables that is its own (inet lvsd-services): of virtual services with marked or source_nat, and of none else. Each service has one, which follows from its name, so that all directors have the same. Packets that have another mark when they arrive lose it. Nothing else on this machine may use these marks, and they must be the same on all directors.",
			ipvsctl.DefaultMarks, markRange, func(d *Director) *ipvsctl.MarkRange { return &d.Marks }).Within("two numbers with a hyphen between, 256 or more marks").Unless("\"" + ipvsctl.DefaultMarks.String() + "\""),
		block.Choice("log_level", "The least severe messages that are logged.",
			"", words("debug", "info", "warn", "error"), func(d *Director) *string { return &d.LogLevel }).Unless("that of --log-level, \"info\" if it is not given"),
		block.Text("keeper_processors", "The processors on which the process that sends the adverts runs, by their numbers, of which 0 is the first, such as \"3\" or \"2,6-7\". It has real-time priority, so it needs none for itself; but one that is kept free from other work may be more punctual.",
			"", processorList, func(d *Director) *Processors { return &d.KeeperProcessors }).Within("numbers and ranges of numbers").Unless("all"),
		block.Inner("http", "Serve metrics and health checks over HTTP, read-only. Without this block, no HTTP server is started.",
			httpTable, func(d *Director) *HTTP { return &d.HTTP }),
		block.Inner("ipvs", "Parameters of the kernel's IPVS in this network namespace, by the kernel's names (net.ipv4.vs). Those that are not set here stay as they are. Those that are set are set again when somebody else changes them, and get their former values back when they are taken out of the configuration, or lvsd stops.",
			ipvsTable, func(d *Director) *IPVS { return &d.IPVS }),
		block.Inner("connection_sync", "Tell the other directors of connections, so that these go on when another one becomes Master. The kernel's sync daemons do that (ipvsadm --start-daemon) with the packets of a connection, as sync_threshold in the ipvs block says, and the Master does it for all of them, as refresh says. Without this block, open connections are reset when the addresses move, unless the scheduler (\"sh\", \"mh\") sends them to the same servers and sloppy_tcp is set.",
			connectionSyncTable, func(d *Director) *ConnectionSync { return &d.Sync }),
		block.Inner("watchdog", "Feed a watchdog of the kernel, which resets this machine when it hangs. It is fed by the process that sends the adverts, as long as that is on time, from its start until lvsd is stopped; so it needs a virtual_router. The unit that is shipped does not let lvsd open it, and its drop-in watchdog.conf does. Without this block, none is fed.",
			watchdogTable, func(d *Director) *Watchdog { return &d.Watchdog }),
	}
})

var watchdogTable = block.NewTable("watchdog", func() []block.Entry[Watchdog] {
	return []block.Entry[Watchdog]{
		block.Text("device", "The device. /dev/watchdog is the machine's first one; where it has none, the module softdog makes one. Nobody else may have it, such as systemd (RuntimeWatchdogSec=).",
			"", watchdogDevice, func(w *Watchdog) *string { return &w.Device }).Within("a path below /dev").Required(`device = "/dev/watchdog"`),
		block.Duration("timeout", "After this time without food, the machine is reset, in whole seconds. A keeper that hangs is replaced within 11 seconds, and one that keeps ending within 5: with less than that, the machine is reset for it.",
			30*time.Second, 5*time.Second, 10*time.Minute, func(w *Watchdog) *time.Duration { return &w.Timeout }),
	}
})

var httpTable = block.NewTable("http", func() []block.Entry[HTTP] {
	return []block.Entry[HTTP]{
		block.Text("listen", "The address and port to listen on. \":9112\" listens on every address of this machine.",
			"", listenAddress, func(h *HTTP) *string { return &h.Listen }).Within("an address and a port").Required(`listen = "127.0.0.1:9112"`),
		block.Flag("server_metrics", "Include eight metrics of each real server in /metrics. Without them, there are only those of each service, with its traffic and the number of its servers that are up. With 10,000 servers, they are 80,000 series.",
			false, func(h *HTTP) *bool { return &h.ServerMetrics }),
	}
})

func readDirector(b *block.Body) Director {
	claim(b, directorBlock, "block", b.Head)
	d := directorTable.Read(b)
	for i := range b.Blocks("ipvs") {
		for name, t := range map[string]time.Duration{"tcp_timeout": d.IPVS.Timeouts.TCP, "tcp_fin_timeout": d.IPVS.Timeouts.TCPFin, "udp_timeout": d.IPVS.Timeouts.UDP} {
			if t%time.Second != 0 {
				i.Mistake(i.At(name), "Invalid timeout", "The kernel counts whole seconds, but this is %s.", block.Short(t))
			}
		}
		if n, _ := strconv.Atoi(d.IPVS.Parameters["sync_ports"]); n&(n-1) != 0 {
			i.Mistake(i.At("sync_ports"), "Invalid sync_ports", "The kernel takes 1, 2, 4, 8, 16, 32 or 64, but this is %d.", n)
		}
	}
	for s := range b.Blocks("connection_sync") {
		if d.Sync.Router != "" {
			claim(b, syncedRouter, d.Sync.Router, s.At("router"))
		}
	}
	for w := range b.Blocks("watchdog") {
		if d.Watchdog.Timeout%time.Second != 0 {
			w.Mistake(w.At("timeout"), "Invalid timeout", "A watchdog counts whole seconds, but this is %s.", block.Short(d.Watchdog.Timeout))
		}
	}
	return d
}

// processorList checks the processors of an option.
func processorList(b *block.Body, s string, at block.Place) (Processors, bool) {
	if _, err := Processors(s).List(); err != nil {
		b.Mistake(at, "Invalid processors", "%s.", sentence(fmt.Errorf("%w: write numbers from 0 to %d, such as \"3\" or \"2,6-7\"", err, maxProcessor)))
		return "", false
	}
	claim(b, processors, s, at)
	return Processors(s), true
}

// markRange reads a range of firewall marks.
func markRange(b *block.Body, s string, at block.Place) (r ipvsctl.MarkRange, ok bool) {
	first, last, _ := strings.Cut(s, "-")
	from, err1 := strconv.ParseUint(strings.TrimSpace(first), 0, 32)
	to, err2 := strconv.ParseUint(strings.TrimSpace(last), 0, 32)
	r = ipvsctl.MarkRange{First: uint32(from), Last: uint32(to)}
	private := ipvsctl.MarkRange{First: ipvsctl.FirstPrivateMark, Last: ipvsctl.LastPrivateMark}
	switch {
	case err1 != nil || err2 != nil || from == 0 || from > to || r.Size() < 256:
		b.Mistake(at, "Invalid marks", "%q is not a range of at least 256 firewall marks: write for example \"1000-1999\".", s)
	case r.First <= private.Last && private.First <= r.Last:
		b.Mistake(at, "Reserved firewall marks", "%s overlaps %s, the marks of checks by the forwarding path: write another range, such as %s.", r, private, ipvsctl.DefaultMarks)
	default:
		return r, true
	}
	return r, false
}

// watchdogDevice checks the path of a watchdog. Nothing else than a device is ever
// opened for writing.
func watchdogDevice(b *block.Body, s string, at block.Place) (string, bool) {
	if !strings.HasPrefix(s, "/dev/") || filepath.Clean(s) != s {
		b.Mistake(at, "Invalid device", "%q is not the path of a device: write \"/dev/watchdog\" or one like \"/dev/watchdog1\".", s)
		return "", false
	}
	claim(b, watchdogPath, s, at)
	return s, true
}

// listenAddress checks the address of the HTTP server: "127.0.0.1:9112",
// "[::1]:9112", or ":9112" for every address of this machine.
func listenAddress(b *block.Body, s string, at block.Place) (string, bool) {
	if rest, every := strings.CutPrefix(s, ":"); every {
		if n, err := strconv.ParseUint(rest, 10, 16); err == nil && n > 0 {
			return s, true
		}
	}
	if ap, err := netip.ParseAddrPort(s); err == nil && ap.Port() > 0 {
		return s, true
	}
	b.Mistake(at, "Invalid listen",
		"%q is not an address with a port: write \"127.0.0.1:9112\", \"[::1]:9112\", or \":9112\" for every address.", s)
	return "", false
}
