package director

import (
	"time"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/event"
	"github.com/lvsd/lvsd/ipvsctl"
	"github.com/lvsd/lvsd/vrrp"
)

// A Status is everything that the daemon knows about itself at one moment. It
// is a value: whoever got it may keep it. Moments that have not been are zero.
type Status struct {
	Version string
	Node    string
	PID     int
	Started time.Time
	// Ready: the first table is in the kernel and every target had a result,
	// or the start delay is over.
	Ready bool
	// Stopping: the daemon was told to stop and is handing over.
	Stopping bool
	// Findings are what is wrong, the most urgent first.
	Findings []event.Finding
	Reload   ReloadStatus
	Keeper   KeeperStatus
	Routers  []vrrp.Status
	Services []ServiceStatus
	// Foreign are services in the kernel's table that are not ours, as of the
	// last look, in order: "tcp 10.13.0.201:25 wlc". At most 100 are listed;
	// Table.Foreign counts them all.
	Foreign []string
	Probes  checker.Stats
	Table   ipvsctl.Stats
}

// A ReloadStatus says which configuration runs, and how the last attempt to
// load one ended.
type ReloadStatus struct {
	// Path is what was given as --config.
	Path string
	// Digest identifies the configuration that runs; Applied is since when.
	Digest  string
	Applied time.Time
	// Last is when a configuration was last read, OK whether it was valid,
	// and Error the first mistake where it was not.
	Last  time.Time
	OK    bool
	Error string
	// Succeeded and Failed count the attempts since the start, the first
	// load included.
	Succeeded uint64
	Failed    uint64
}

// A KeeperStatus says how the process that keeps the adverts is.
type KeeperStatus struct {
	// PID is zero where no virtual router is configured, and while the keeper
	// is being started again.
	PID           int
	Restarts      uint64
	EventsDropped uint64
	// Realtime: it runs under SCHED_RR. Locked: its memory is never paged
	// out. Why says what was refused where either is not so.
	Realtime bool
	Locked   bool
	Why      string
	// Unclaimed counts packets for virtual routers that are not configured
	// here.
	Unclaimed uint64
}

// A ServiceStatus is one virtual service.
type ServiceStatus struct {
	Name string
	// Address is the service's key as people write it: "tcp 10.13.0.200:80".
	Address   string
	Key       ipvsctl.ServiceKey
	Scheduler string
	// InKernel: the service is in the IPVS table as last seen.
	InKernel bool
	// Supply says whether it is served, and Reason why it is unserved.
	Supply  Supply
	Reason  Reason
	Servers []ServerStatus
	// Fallback is the destination of last resort; nil where none is
	// configured. It is in the kernel exactly while no server with a weight
	// above 0 is.
	Fallback *ServerStatus
}

// Missing reports whether the service is not in the kernel's table and should be.
func (s *ServiceStatus) Missing() bool { return !s.InKernel && s.Supply != Withheld }

// A Health says how a real server is, in one word.
type Health string

// The healths of a real server.
const (
	HealthUp   Health = "up"
	HealthDown Health = "down"
	// HealthUnknown: the results so far do not say; there may be none.
	HealthUnknown Health = "unknown"
	// HealthUnchecked: no check is configured.
	HealthUnchecked Health = "unchecked"
)

// A ServerStatus is one real server in one virtual service.
type ServerStatus struct {
	Name    string
	Address string // "192.168.1.4:80"
	Forward string // "nat", "direct", "tunnel"
	Health  Health
	Since   time.Time
	Checks  []CheckStatus
	// Weight is the configured weight; KernelWeight the one in the IPVS table
	// as last seen, and InKernel whether the server is in it at all.
	Weight       uint32
	KernelWeight uint32
	InKernel     bool
	// Counters are the kernel's, as last read.
	Counters ipvsctl.Counters
}

// A CheckStatus is one check of one real server.
type CheckStatus struct {
	Kind string
	// Up is what the results so far say, by rise and fall.
	Up bool
	// Last is the last result; zero before the first.
	Last checker.Result
}
