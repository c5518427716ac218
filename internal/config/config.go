package config

import (
	"net/netip"
	"slices"
	"strconv"
	"time"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/ipvsctl"
	"github.com/lvsd/lvsd/vrrp"
)

// A Config is one complete, valid configuration: what all files together say
// for one node. Nothing in it is text that must still be interpreted.
type Config struct {
	// Node is the name that the files were evaluated for.
	Node     string
	Director Director
	Routers  []vrrp.Config
	// Static is what the director has always, without a virtual router.
	Static vrrp.Holdings
	// Hooks are those of all virtual routers and sync groups, in the order of the files.
	Hooks []Hook
	// Streams are all of them, in the order of the files.
	Streams []Stream
	// Resources are those of all virtual routers and sync groups, of each in the order in
	// which they are started.
	Resources []Resource
	// Conditions are those that the director watches, each once.
	Conditions []Condition
	Services   []Service
	// Digest identifies the text it came from: directors with equal digests
	// run the same.
	Digest string
	// Files names the other files that were read for it: by file(), and the
	// certificates that checks trust. Give them to Options.Files.
	Files []string
}

// A Director holds what concerns the daemon as a whole.
type Director struct {
	HTTP     HTTP
	IPVS     IPVS
	Sync     ConnectionSync
	Watchdog Watchdog
	// StartDelay bounds how long a virtual router waits for the first table
	// and the first result of every target.
	StartDelay time.Duration
	// ProbesInFlight bounds how many probes run at one time.
	ProbesInFlight int
	// ProbesPerSecond bounds how many begin in a second; zero: they are not bounded.
	ProbesPerSecond int
	// Isolation keeps the servers of all services in the table while all targets are
	// silent: this director is likelier to be cut off.
	Isolation bool
	// CertificateDays is how many days before its end a certificate is a finding; 0: never.
	CertificateDays int
	// ExclusiveTable declares that every row of the IPVS table is this
	// daemon's: foreign rows are deleted.
	ExclusiveTable bool
	// KeepTable leaves the IPVS table as it is when the daemon stops.
	KeepTable bool
	// KeeperProcessors are those on which the process that sends the adverts runs;
	// empty: all.
	KeeperProcessors Processors
	// Marks are those that lvsd's own rules give to packets.
	Marks ipvsctl.MarkRange
	// LogLevel is the level from which on lines are logged: "debug", "info",
	// "warn" or "error"; empty: the one that the daemon was started with.
	LogLevel string
}

// An HTTP is how monitoring is served.
type HTTP struct {
	// Listen is the address of the HTTP server; empty: none.
	Listen string
	// ServerMetrics adds the series of each real server to the metrics.
	ServerMetrics bool
}

// A Watchdog is a device of the kernel that resets the machine when it is not fed.
type Watchdog struct {
	// Device is its path; empty: none is fed.
	Device string
	// Timeout is after how many whole seconds without food it resets the machine.
	Timeout time.Duration
}

// An IPVS holds the parameters of the kernel's IPVS that are to be set.
type IPVS struct {
	// Parameters are their values by the kernel's names, those of net.ipv4.vs: "1" for
	// "expire_nodest_conn". What is not there stays as it is.
	Parameters map[string]string
	// Timeouts are how long the kernel remembers a connection without packets, in whole
	// seconds; zero: as it is.
	Timeouts Timeouts
}

// A ConnectionSync has the kernel tell the other director of connections (ip_vs_sync.c).
type ConnectionSync struct {
	// Router is the virtual router whose Master tells; empty: nobody does.
	Router    string
	Interface string
	// ID is that of the sync daemons, 0 to 255: one with 0 takes what any other tells.
	ID int
	// Group and Port are where messages go, with this TTL.
	Group netip.Addr
	Port  int
	TTL   int
	// MaxLength is how long a message may be, in bytes; 0: as the interface has it.
	MaxLength int
	// Refresh is how often the Master tells of all connections, at most Rate in a second;
	// zero: the kernel tells of them alone.
	Refresh time.Duration
	Rate    int
}

// Timeouts are those of TCP connections that are established, and of those after a FIN,
// and of UDP.
type Timeouts struct{ TCP, TCPFin, UDP time.Duration }

// A Condition is something that the director watches for the virtual routers that
// track it by its name.
type Condition struct {
	// Name is its kind and its own name: "ping gateway".
	Name string
	// Checks are what is probed: it is met while Minimum of them pass.
	Checks []Check
	// Service is the virtual service that it is about instead: it is met while Minimum
	// of its real servers are up, or so many percent of those with a weight.
	Service string
	Minimum int
	Percent bool
	// Own: it is met while that service has its own min_healthy, if it has one; Minimum
	// counts where it has none.
	Own bool
	// Initial is what its checks say before their first results.
	Initial checker.State
	// Counts: what its one check finds is a number, by which a weight is multiplied.
	Counts bool
	// Source is where it is defined: "lvsd.hcl:2".
	Source string
}

// A Hook is a program that is run when a virtual router, all those of a sync group, a
// virtual service or a server of it, have changed their state.
type Hook struct {
	Owner
	// Server is the name of the real server whose own it is, of a service's hooks; empty:
	// it is the service's, or of all its servers that have none of their own.
	Server string
	// On is the state that was entered, one of HookStates, or AnyState; of a service one of
	// ServiceStates.
	On string
	// Before runs it before the addresses are taken over from a Master that fell silent,
	// AtStart also where none was heard since the start. Required keeps this director from
	// taking them where it fails.
	// Of a service's, AtStart runs it for the first state that is known, and AtStop also
	// when lvsd stops.
	Before, AtStart, Required, AtStop bool
	// Assert runs it again when so much time has passed since it ended, as long as the
	// state lasts; zero: never.
	Assert time.Duration
	Program
}

// A Stream is a program that stays, and reads what happens to virtual routers.
type Stream struct {
	Name string
	// Owner is what it is told of; the zero value: all.
	Owner
	Run  []string // the absolute path of the program, and its arguments
	User string   // whom it runs as; empty: lvsd's own user
	// StopTimeout is how long it may go on after the end of its input.
	StopTimeout  time.Duration
	KillChildren bool
}

// A Resource is something that a Master runs besides its addresses.
type Resource struct {
	Owner
	Kind, Name string // "systemd", "apache2.service"
	// Start and Stop are programs with their arguments, and Status one that exits with 0 if
	// it runs; empty: there is none.
	Start, Stop, Status []string
	// Directory is what a mount is mounted on, of which the kernel tells whether it is.
	Directory string
	// User is whom these run as; empty: lvsd's own user.
	User    string
	Timeout time.Duration // of each
}

// A Program is one that lvsd starts: of a hook, for instance.
type Program struct {
	// Run is its absolute path and its arguments.
	Run []string
	// User is whom it runs as; empty: lvsd's own user.
	User         string
	Timeout      time.Duration
	KillChildren bool
}

// A Service is one virtual service.
type Service struct {
	Name string
	// Key is that of the kernel's virtual service. More are those of further ones, which have
	// the same servers: at their own ports, unless a server has one for all (OwnPort).
	Key  ipvsctl.ServiceKey
	More []ipvsctl.ServiceKey
	// Packets are those that lvsd's own rules give a firewall mark; nil: none. The mark is
	// that of the key if the kernel knows the service by it (Marked).
	Packets *ipvsctl.Selection
	Mark    uint32
	// SourceNAT is what else becomes of these packets.
	SourceNAT ipvsctl.SourceNAT
	Service   ipvsctl.Service
	// Servers are the real servers, and then the fallbacks if these are checked or several.
	// Fallback is one that is neither; nil: there is none.
	Servers  []Server
	Fallback *Fallback
	// Policy is what follows from the state of its servers besides their weights; nil:
	// nothing else than usual.
	Policy *Policy
	// Hooks are those of the service and of its servers, in the order of the file.
	Hooks []Hook
	// DrainTimeout is how long a real server that a reload removes keeps its connections;
	// zero: not at all.
	DrainTimeout time.Duration
	// Source is where its block begins: "web.hcl:2".
	Source string
}

// Keys are those of all virtual services of the kernel that it is, in their order.
func (s *Service) Keys() []ipvsctl.ServiceKey {
	return append([]ipvsctl.ServiceKey{s.Key}, s.More...)
}

// Marked reports whether the kernel knows the service by a mark that lvsd gives its packets.
func (s *Service) Marked() bool { return s.Packets != nil && s.Key.Mark != 0 }

// Selection returns the packets of a service, as far as the configuration says; the zero value
// where a firewall mark of the user's stands for them.
func (s *Service) Selection() ipvsctl.Selection {
	if s.Packets != nil {
		return *s.Packets
	}
	if s.Key.Mark != 0 {
		return ipvsctl.Selection{}
	}
	var addresses []ipvsctl.AddressRange
	var by []ipvsctl.Protocol
	var ports []ipvsctl.PortRange
	for _, key := range s.Keys() {
		addresses, by = append(addresses, ipvsctl.AddressRange{First: key.Addr, Last: key.Addr}), append(by, key.Protocol)
		if key.Port != 0 {
			ports = append(ports, ipvsctl.PortRange{First: key.Port, Last: key.Port})
		}
	}
	return ipvsctl.Select(addresses, by, ports)
}

// Addresses are the virtual addresses of the service, each once; none where there are more
// than a limit, or where a firewall mark of the user's stands for them.
func (s *Service) Addresses(limit int) (all []netip.Addr) {
	if s.Key.Mark == 0 && len(s.More) == 0 {
		return []netip.Addr{s.Key.Addr}
	}
	selection := s.Selection()
	for _, r := range selection.Addresses {
		for a := r.First; a.IsValid() && r.Holds(a); a = a.Next() {
			if len(all) == limit {
				return nil
			}
			all = append(all, a)
		}
	}
	return all
}

// Address returns where clients reach the service, as people write it: "tcp 10.13.0.200:80",
// "tcp,udp 10.13.0.200:80,443" or "mark 7 (ipv4)".
func (s *Service) Address() string {
	if s.Marked() || len(s.More) > 0 {
		all := s.Selection()
		return all.String()
	}
	return s.Key.String()
}

// AllHooks are the hooks of everything that has some.
func (c *Config) AllHooks() []Hook {
	all := slices.Clip(c.Hooks)
	for i := range c.Services {
		all = append(all, c.Services[i].Hooks...)
	}
	return all
}

// Policed returns the policy, or one that does nothing.
func (s *Service) Policed() Policy {
	if s.Policy == nil {
		return Policy{}
	}
	return *s.Policy
}

// Real is how many of its servers are no fallbacks.
func (s *Service) Real() int {
	n := len(s.Servers)
	for n > 0 && s.Servers[n-1].Fallback() {
		n--
	}
	return n
}

// HasFallback reports whether there is a fallback.
func (s *Service) HasFallback() bool { return s.Fallback != nil || s.Real() < len(s.Servers) }

// PolicyOf returns what concerns one of its servers: a fallback serves as soon as it is needed.
func (s *Service) PolicyOf(server int) Policy {
	if s.Servers[server].Fallback() {
		return Policy{}
	}
	return s.Policed()
}

// A Server is one real server of one virtual service.
type Server struct {
	Name string
	Key  ipvsctl.DestinationKey
	// Destination holds its configured weight; what the kernel gets follows
	// from its health.
	Destination ipvsctl.Destination
	// Checks are what it must pass to be up, by the Rule; none: always up.
	Checks []Check
	Rule   *checker.Rule // nil: all of them
	// InitialUp puts it into the table before its first result.
	InitialUp bool
	// DrainOnFailure leaves it in the table, with weight 0, while it is down, for DrainFor
	// at most; zero: without an end.
	DrainOnFailure bool
	DrainFor       time.Duration
	// OwnPort: its port is the one for all ports of the service.
	OwnPort bool
	// Tier is when it serves: while too few of the tiers before it take connections. 0 is 1.
	Tier uint8
}

// TierOf returns the server's tier, from 1.
func (s *Server) TierOf() uint8 { return max(s.Tier, 1) }

// MaxTiers bounds the tiers of a service. FallbackTier is that of fallbacks which are checked
// or several: it comes in when no other one has enough servers, and counts as none.
const (
	MaxTiers     = 4
	FallbackTier = MaxTiers + 1
)

// Fallback reports whether the server is one of the service's fallbacks, which come last
// among its servers.
func (s *Server) Fallback() bool { return s.Tier == FallbackTier }

// A Check is one probe that a server must pass, and how many results in a row
// change its state.
type Check struct {
	Target     checker.Target
	Rise, Fall uint16
	// UnknownAfter is for how long it may be impossible to run before that counts as
	// a failure; zero: for ever.
	UnknownAfter checker.Milliseconds
	// Forwarded: the server is asked at the virtual address, by way of IPVS.
	Forwarded bool
}

// Detection is how long it takes at most, from when a server begins to hang, until the
// check says that it is down.
func (c *Check) Detection() time.Duration {
	return max(c.Target.Interval, c.Target.Pace.Idle.Duration()) + time.Duration(max(c.Fall, 1)-1)*c.step() + c.Target.Timeout
}

// Recovery is how long it takes at most, from when a server that is down answers
// again, until the check says that it is up.
func (c *Check) Recovery() time.Duration {
	first := c.Target.Interval
	if c.Target.Pace.Down > 0 {
		first = c.Target.Pace.Down.Duration()
	}
	first = max(first, c.Target.Pace.Idle.Duration())
	return first + time.Duration(max(c.Rise, 1)-1)*c.step() + c.Target.Timeout
}

// step is the longest time from one probe to the next while results are counted.
func (c *Check) step() time.Duration {
	if c.Target.Pace.Fast > 0 {
		return max(c.Target.Pace.Fast.Duration(), c.Target.Timeout)
	}
	return max(c.Target.Interval, c.Target.Timeout)
}

// Rules are what its results mean.
func (c *Check) Rules() checker.Rules {
	return checker.Rules{Rise: int(c.Rise), Fall: int(c.Fall), UnknownAfter: c.UnknownAfter.Duration()}
}

// mixes reports whether a real server's address is of the other family than the service's.
func (s *Service) mixes(r Server) bool { return r.Key.Addr.Is4() != s.Key.Addr.Is4() }

// A Fallback is the one destination, which is not checked, that is in the table exactly
// while no real server with a weight above 0 is.
type Fallback struct {
	Key         ipvsctl.DestinationKey
	Destination ipvsctl.Destination
	// WhenFull: it also serves while all servers that are up have reached their
	// upper thresholds.
	WhenFull bool
	// OwnPort is as that of a Server.
	OwnPort bool
}

// A Policy is what a virtual service does besides using the servers that are up. Each
// value may be zero: it does nothing of that kind.
type Policy struct {
	// PanicPercent: when more than so many percent of its servers fall silent within
	// one detection time, they are held in for PanicFor.
	PanicPercent uint8
	PanicFor     time.Duration
	// MinHealthy are the servers that must take connections: with fewer, the fallback
	// serves in their place, until there are RecoverHealthy again.
	MinHealthy, RecoverHealthy Quantity
	// Suspicion: a server that lets clients' packets unanswered is checked at once.
	Suspicion bool
	// HASuspend: its checks run while this director is Master, and keep what they have found.
	HASuspend bool
	// ManualResume: a server that has failed stays out until an operator lets it in.
	ManualResume bool
	// UpAfter is for how long a server that was down must have passed its checks.
	UpAfter time.Duration
	// SlowStart is how long a server that was down takes to its full weight.
	SlowStart time.Duration
}

// A Quantity is how many of a service's servers: a number, a share of all that have a
// weight, or the sum of their weights. The zero value is none.
type Quantity struct {
	N       uint32
	Measure Measure
}

// A Measure is what a Quantity counts.
type Measure uint8

// What a Quantity counts.
const (
	Servers Measure = iota
	Percent
	Weight
)

// String returns the quantity as the configuration has it.
func (q Quantity) String() string {
	switch n := strconv.FormatUint(uint64(q.N), 10); {
	case q.N == 0:
		return "unset"
	case q.Measure == Percent:
		return n + "%"
	case q.Measure == Weight:
		return "weight " + n
	default:
		return n
	}
}

// Holders maps each virtual address to the name of its router.
func Holders(routers []vrrp.Config) map[netip.Addr]string {
	m := make(map[netip.Addr]string)
	for i := range routers {
		for _, p := range routers[i].Addresses {
			m[p.Addr()] = routers[i].Name
		}
		for _, e := range routers[i].Extra {
			m[e.Prefix.Addr()] = routers[i].Name
		}
	}
	return m
}
