package doctor

import (
	"net/netip"
	"slices"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/machine"
	"github.com/lvsd/lvsd/internal/realserver"
)

// Facts are what is known of a machine at one moment.
type Facts struct {
	Machine machine.Facts
	// Settings are the values of the parameters that Wanted names, as far as they exist.
	Settings map[machine.Setting]string
	// Modules are whether the kernel has, or could load, the modules that NeededModules
	// names; nil: that is not known.
	Modules map[string]bool
	// Ways are those to the real servers.
	Ways map[netip.Addr]Way
	// MTU is how long a packet may be, by interface.
	MTU map[string]int
	// LargeReceive are the cards that put packets together (LRO), which a machine that
	// forwards must not, by the interfaces whose packets they are.
	LargeReceive map[string]string
	// Filters are the packet filters; nil: they are not known, and Unfiltered says why.
	Filters    []Chain
	Unfiltered string
	// Heard are the MAC addresses that answered for a virtual address, or for that of a
	// director whose adverts are not heard any more; an address that is not there was not
	// asked for.
	Heard map[netip.Addr][]string
	// Answers are those of the real servers that were asked (Case.Questions); nil: there
	// was none to ask, or Unasked says why not.
	Answers map[netip.Addr]Answers
	Unasked string
	// Connections are those in IPVS's table, and Buckets how large that is; 0: not known.
	Connections, Buckets int
	// Tracked are the connections that nf_conntrack follows, of at most TrackedMax; 0: it
	// follows none.
	Tracked, TrackedMax int
	// Programs are those that run in this network namespace and do what lvsd does.
	Programs []Program
	// Traces are the interfaces that such programs make, which are seen from a container, too.
	Traces []string
	// ClockKept: something keeps the clock, or that cannot be told.
	ClockKept bool
	// Realtime is why no process of this user may have a real-time priority; empty: it may.
	Realtime string
	// Incapable is which capabilities this process lacks, of those that the daemon needs;
	// empty: none.
	Incapable string
	// Role is what the machine is as a real server, Left what is wrong with that, and
	// Unread why neither is known.
	Role   realserver.Role
	Left   []realserver.Change
	Unread string
	// Daemon are the findings of the daemon that runs, and Routers the virtual routers as
	// it sees them, by their names; Silent says why neither is known.
	Daemon  []api.Finding
	Routers map[string]api.Router
	Silent  string
}

// A Way is where packets to an address go.
type Way struct {
	machine.Way
	Failure string // why there is none; empty: there is
}

// Answers are those of a real server that came back to this director, by whom they are for.
type Answers struct {
	Own     bool // an address of this director
	Virtual bool // the virtual address, by the interface of the question
	Outside bool // the address Outside
}

// A Program is one that runs.
type Program struct {
	Name string
	PID  int
}

// The parameters that are examined besides those of machine.Facts.
const (
	forward4 machine.Setting = "net.ipv4.ip_forward"
	forward6 machine.Setting = "net.ipv6.conf.all.forwarding"
	pmtu                     = "pmtu_disc" // of net.ipv4.vs
)

// all is the name by which the kernel has what counts for every interface.
const all = "all"

// Wanted are the parameters whose values Facts should have.
func Wanted(c *config.Config) []machine.Setting {
	list := []machine.Setting{machine.SendRedirects(all)}
	for i := range c.Routers {
		list = append(list, machine.SendRedirects(c.Routers[i].Interface))
	}
	return list
}

// NeededModules are the modules that Facts should know of: those of the schedulers.
func NeededModules(c *config.Config) []string {
	var list []string
	for i := range c.Services {
		if name := moduleOf(c.Services[i].Service.Scheduler); !slices.Contains(list, name) {
			list = append(list, name)
		}
	}
	return list
}

// moduleOf is the module that has a scheduler.
func moduleOf(scheduler string) string { return "ip_vs_" + scheduler }

// Servers are the addresses to which Facts should have the ways.
func Servers(c *config.Config) []netip.Addr {
	var list []netip.Addr
	known := make(map[netip.Addr]bool)
	for i := range c.Services {
		for j := range c.Services[i].Servers {
			if a := c.Services[i].Servers[j].Key.Addr; !known[a] {
				known[a] = true
				list = append(list, a)
			}
		}
	}
	return list
}
