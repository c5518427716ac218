package director

import (
	"time"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/event"
	"github.com/lvsd/lvsd/ipvsctl"
	"github.com/lvsd/lvsd/vrrp"
)

// A Status is everything that the daemon knows about itself at one moment. It
// is a value: whoever got it may keep it. The control socket sends it as JSON,
// where lists and objects are never null and moments that have not been are
// left out, and the metrics are read from it.
type Status struct {
	// Time is when this snapshot was taken, by the daemon's clock.
	Time    time.Time `json:"time,omitzero"`
	Version string    `json:"version"`
	Node    string    `json:"node"`
	PID     int       `json:"pid"`
	Started time.Time `json:"started,omitzero"`
	// Ready: the first table is in the kernel and every target had a result,
	// or the start delay is over.
	Ready bool `json:"ready"`
	// Stopping: the daemon was told to stop and is handing over.
	Stopping bool `json:"stopping"`
	// Findings are what is wrong, the most urgent first.
	Findings []event.Finding `json:"findings"`
	Reload   ReloadStatus    `json:"reload"`
	Keeper   KeeperStatus    `json:"keeper"`
	Routers  []vrrp.Status   `json:"routers"`
	Services []ServiceStatus `json:"services"`
	// Foreign are services in the kernel's table that are not ours, as of the
	// last look, in order: "tcp 10.13.0.201:25 wlc". At most 100 are listed;
	// Table.Foreign counts them all.
	Foreign []string      `json:"foreign"`
	Probes  checker.Stats `json:"probes"`
	Table   ipvsctl.Stats `json:"table"`
}

// A ReloadStatus says which configuration runs, and how the last attempt to
// load one ended.
type ReloadStatus struct {
	// Path is what was given as --config.
	Path string `json:"path"`
	// Digest identifies the configuration that runs; Applied is since when.
	Digest  string    `json:"digest"`
	Applied time.Time `json:"applied,omitzero"`
	// Last is when a configuration was last read, OK whether it was valid,
	// and Error the first mistake where it was not.
	Last  time.Time `json:"last,omitzero"`
	OK    bool      `json:"ok"`
	Error string    `json:"error,omitempty"`
	// Succeeded and Failed count the attempts since the start, the first
	// load included.
	Succeeded uint64 `json:"succeeded"`
	Failed    uint64 `json:"failed"`
}

// A KeeperStatus says how the process that keeps the adverts is.
type KeeperStatus struct {
	// PID is zero where no virtual router is configured, and while the keeper
	// is being started again.
	PID           int    `json:"pid"`
	Restarts      uint64 `json:"restarts"`
	EventsDropped uint64 `json:"events_dropped"`
	// Realtime: it runs under SCHED_RR. Locked: its memory is never paged
	// out. Why says what was refused where either is not so.
	Realtime bool   `json:"realtime"`
	Locked   bool   `json:"locked"`
	Why      string `json:"why,omitempty"`
	// Unclaimed counts packets for virtual routers that are not configured
	// here.
	Unclaimed uint64 `json:"unclaimed"`
}

// A ServiceStatus is one virtual service.
type ServiceStatus struct {
	Name string `json:"name"`
	// Address is the service's key as people write it: "tcp 10.13.0.200:80".
	Address   string             `json:"address"`
	Key       ipvsctl.ServiceKey `json:"key"`
	Scheduler string             `json:"scheduler"`
	// InKernel: the service is in the IPVS table as last seen.
	InKernel bool `json:"in_kernel"`
	// Supply says whether it is served, and Reason why it is unserved.
	Supply  Supply         `json:"supply"`
	Reason  Reason         `json:"reason,omitempty"`
	Servers []ServerStatus `json:"servers"`
	// Fallback is the destination of last resort; nil where none is
	// configured. It is in the kernel exactly while no server with a weight
	// above 0 is.
	Fallback *ServerStatus `json:"fallback,omitempty"`
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
	Name    string        `json:"name"`
	Address string        `json:"address"` // "192.168.1.4:80"
	Forward string        `json:"forward"` // "nat", "direct", "tunnel"
	Health  Health        `json:"health"`
	Since   time.Time     `json:"since,omitzero"`
	Checks  []CheckStatus `json:"checks"`
	// Weight is the configured weight; KernelWeight the one in the IPVS table
	// as last seen, and InKernel whether the server is in it at all.
	Weight       uint32 `json:"weight"`
	KernelWeight uint32 `json:"kernel_weight"`
	InKernel     bool   `json:"in_kernel"`
	// Counters are the kernel's, as last read.
	Counters ipvsctl.Counters `json:"counters"`
}

// A CheckStatus is one check of one real server.
type CheckStatus struct {
	Kind string `json:"kind"`
	// Up is what the results so far say, by rise and fall.
	Up bool `json:"up"`
	// Last is the last result; zero before the first, and left out in JSON.
	Last checker.Result `json:"last,omitzero"`
}
