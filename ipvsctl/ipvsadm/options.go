package ipvsadm

import (
	"slices"
	"sync"
)

// An argument says whether an option has one.
type argument int

const (
	none argument = iota
	required
	optional // unless the next word begins with a dash
)

// An option is a word of the command line that begins with a dash. A command is one too,
// the first.
type option struct {
	long  string
	short byte // 0: there is none
	arg   argument
	value string // the argument's name in the help
	verb  Verb   // of a command
	// name is under which it is given at most once; the long name, or what several share. The
	// option without one may be given often, with every command.
	name string
	help string
}

// commands are the options that say what is to be done.
var commands = []option{
	{long: "add-service", short: 'A', verb: AddService, help: "add a virtual service"},
	{long: "edit-service", short: 'E', verb: EditService, help: "change a virtual service, as a whole"},
	{long: "delete-service", short: 'D', verb: DeleteService, help: "delete a virtual service and its real servers"},
	{long: "clear", short: 'C', verb: Clear, help: "delete all virtual services"},
	{long: "restore", short: 'R', verb: Restore, help: "carry out the commands on standard input, a line each"},
	{long: "save", short: 'S', verb: Save, help: "print the table as commands for -R"},
	{long: "add-server", short: 'a', verb: AddServer, help: "add a real server to a virtual service"},
	{long: "edit-server", short: 'e', verb: EditServer, help: "change a real server, as a whole"},
	{long: "delete-server", short: 'd', verb: DeleteServer, help: "delete a real server"},
	{long: "list", short: 'L', verb: List, help: "list the table, or one virtual service (also -l)"},
	{long: "list", short: 'l', verb: List},
	{long: "zero", short: 'Z', verb: Zero, help: "zero all counters, or those of one virtual service"},
	{long: "set", verb: Set, help: "set the timeouts: TCP, TCP after FIN, UDP, in seconds; 0 leaves one as it is"},
	{long: "start-daemon", arg: required, value: "master|backup", verb: StartDaemon, help: "start a sync daemon in the kernel"},
	{long: "stop-daemon", arg: required, value: "master|backup", verb: StopDaemon, help: "stop it"},
	{long: "help", short: 'h', verb: Help, help: "print this"},
	{long: "version", short: 'v', verb: Version, help: "print the version"},
}

// Names that several options share.
const (
	nameService = "virtual service"
	nameForward = "forwarding method"
)

// modifiers are the options that follow a command.
var modifiers = []option{
	{long: "tcp-service", short: 't', arg: required, value: "host[:port]", name: nameService, help: "a virtual service by TCP; without a port only with -p"},
	{long: "udp-service", short: 'u', arg: required, value: "host[:port]", name: nameService, help: "one by UDP"},
	{long: "sctp-service", arg: required, value: "host[:port]", name: nameService, help: "one by SCTP"},
	{long: "fwmark-service", short: 'f', arg: required, value: "mark", name: nameService, help: "one by firewall mark, 1 to 4294967295"},
	{long: "ipv6", short: '6', help: "after -f: the mark is on IPv6 packets"},
	{long: "scheduler", short: 's', arg: required, value: "name", help: "the kernel's name of the scheduler (wlc)"},
	{long: "sched-flags", short: 'b', arg: required, value: "flag,…", help: "sh-fallback, sh-port, mh-fallback, mh-port, or flag-1, flag-2, flag-3 of any scheduler"},
	{long: "persistent", short: 'p', arg: optional, value: "seconds", help: "clients stay with their real server for so long (360)"},
	{long: "netmask", short: 'M', arg: required, value: "mask", help: "of clients that stay together: dotted for IPv4, a prefix length for IPv6"},
	{long: "pe", arg: required, value: "engine", help: "the persistence engine: sip"},
	{long: "ops", short: 'o', help: "schedule each packet by itself; for UDP"},
	{long: "real-server", short: 'r', arg: required, value: "host[:port]", help: "a real server; the port is the service's, except by -m"},
	{long: "gatewaying", short: 'g', name: nameForward, help: "direct routing, which is the default"},
	{long: "ipip", short: 'i', name: nameForward, help: "tunnelling"},
	{long: "masquerading", short: 'm', name: nameForward, help: "NAT"},
	{long: "tun-type", arg: required, value: "type", help: "of a tunnel: ipip, which is the default, gue or gre"},
	{long: "tun-port", arg: required, value: "port", help: "of a gue tunnel"},
	{long: "tun-nocsum", help: "a gue or gre tunnel without checksums, which is the default"},
	{long: "tun-csum", help: "with them"},
	{long: "tun-remcsum", help: "with remote checksum offload; gue"},
	{long: "weight", short: 'w', arg: required, value: "n", help: "the real server's share (1); 0 lets no new client in"},
	{long: "u-threshold", short: 'x', arg: required, value: "n", help: "no new connections above so many"},
	{long: "l-threshold", short: 'y', arg: required, value: "n", help: "new ones again below so many"},
	{long: "numeric", short: 'n', help: "print addresses and ports as numbers"},
	{long: "connection", short: 'c', help: "list connections"},
	{long: "timeout", help: "list the timeouts"},
	{long: "daemon", help: "list the sync daemons"},
	{long: "stats", help: "list what was counted"},
	{long: "rate", help: "list what is counted in a second"},
	{long: "exact", short: 'X', help: "print large numbers in full"},
	{long: "thresholds", help: "list the thresholds"},
	{long: "persistent-conn", help: "list persistent connections; with -c, the engine's data"},
	{long: "tun-info", help: "list the tunnels"},
	{long: "nosort", help: "list in the kernel's order"},
	{long: "sort", help: "is the default"},
	{long: "mcast-interface", arg: required, value: "interface", help: "of a sync daemon (eth0)"},
	{long: "syncid", arg: required, value: "n", help: "0 to 255 (0)"},
	{long: "sync-maxlen", arg: required, value: "bytes", help: "the longest datagram"},
	{long: "mcast-group", arg: required, value: "address", help: "IPv4 or IPv6 (224.0.0.81)"},
	{long: "mcast-port", arg: required, value: "port", help: "8848"},
	{long: "mcast-ttl", arg: required, value: "n", help: "1"},
	{long: "output", arg: required, value: "format", help: "text or json; with -L also -o"},
	{long: "force", help: "change rows of the running lvsd too"},
	{long: "state-dir", arg: required, value: "directory", help: "of the running lvsd, which has there what is its own (/var/lib/lvsd)"},
}

// repeatable may be given often, and with every command.
var repeatable = []string{"ipv6", "sort", "force", "state-dir"}

// options are all of them, with their names. As the tables of other files they are made when
// they are needed: the daemon is the same program, and never needs them.
var options = sync.OnceValue(func() []option {
	all := append(slices.Clone(commands), modifiers...)
	for i := range all {
		if o := &all[i]; o.verb == "" && o.name == "" && !slices.Contains(repeatable, o.long) {
			o.name = o.long
		}
	}
	return all
})

// Words are the options as a shell completes them.
func Words() (all []string) {
	for _, o := range options() {
		if o.short != 0 {
			all = append(all, "-"+string(o.short)+"\t"+o.help)
		}
		if o.help != "" {
			all = append(all, "--"+o.long+"\t"+o.help)
		}
	}
	return all
}

// An index finds options.
type index struct {
	long  map[string]*option
	short [256]*option
}

var indexed = sync.OnceValue(func() *index {
	x, all := &index{long: map[string]*option{}}, options()
	for i := range all {
		o := &all[i]
		if x.long[o.long] == nil {
			x.long[o.long] = o
		}
		if o.short != 0 {
			x.short[o.short] = o
		}
	}
	return x
})

func byLong(name string) *option { return indexed().long[name] }

func byShort(c byte) *option { return indexed().short[c] }
