package director

import (
	"net/netip"
	"time"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/event"
	"github.com/lvsd/lvsd/internal/machine"
	"github.com/lvsd/lvsd/ipvsctl"
	"github.com/lvsd/lvsd/ipvsctl/connections"
	"github.com/lvsd/lvsd/vrrp"
)

// operatorCondition is the name of the condition that no operator wants this director
// not to be Master. It concerns every virtual router.
const operatorCondition = "operator"

// An Input is something that happened outside the core: one of these types.
type Input any

type (
	// Probed are results of probes; a burst of them is planned for once.
	Probed []Observation
	// RoutersSeen are the statuses of all virtual routers, as the keeper told
	// them last.
	RoutersSeen []*vrrp.Status
	// MachineSeen is what a look at the machine found, or why it failed.
	MachineSeen struct {
		Facts machine.Facts
		Err   error
	}
	// MachineChanged: interfaces, addresses or routes of the machine are others.
	MachineChanged struct{}
	// RoundHeard: another director has begun to tell of all connections, or has told of all
	// of them (Whole); Err is why that cannot be heard.
	RoundHeard struct {
		Whole bool
		Err   error
	}
	// Tuned is what came of a Tune.
	Tuned struct {
		Tune
		// Refused are why parameters could not be set, and Unsaved is why what they were
		// could not be kept.
		Refused map[machine.Setting]error
		Unsaved error
	}
	// ResourcesBarred are why virtual routers must not be Master, by the names of their
	// conditions.
	ResourcesBarred map[string]string
	// TableSeen is how the kernel's table is, compared with the one that was set
	// last: equal to it, or not because the kernel refused something. Unruled: it is not known
	// yet whether packets are marked as they should be. Packets are how many have
	// come for each service, where that is to be known.
	TableSeen struct {
		Converged, Refused bool
		Unruled            bool
		Packets            map[ipvsctl.ServiceKey]uint64
	}
	// Counted is what the kernel has counted for each virtual service, as last read.
	Counted map[ipvsctl.ServiceKey]ipvsctl.Rows[ipvsctl.Counters]
	// Reload asks for the configuration to be read again. Asker, if there is one,
	// is answered when that has ended.
	Reload struct{ Asker Asker }
	// ReadingEnded is the outcome of the reading with this number.
	ReadingEnded struct {
		Number int
		Loaded
	}
	// Failover orders the Masters among some virtual routers to offer their roles.
	// Asker is answered when that has ended.
	Failover struct {
		api.FailoverOrder
		By    api.User
		Asker func(api.Ordered)
	}
	// Assert orders the hooks of some virtual routers and sync groups to be run again.
	// Asker is answered when they have ended.
	Assert struct {
		api.AssertOrder
		By    api.User
		Asker func(api.Ordered)
	}
	// StandBy orders this director not to be Master of any virtual router, once
	// another one is. Asker is answered when that has ended.
	StandBy struct {
		api.StandbyOrder
		By    api.User
		Asker func(api.Ordered)
	}
	// StandbyKept is a standby of an earlier process that is not over.
	StandbyKept api.Standby
	// StandbySaved is what came of a SaveStandby with this number.
	StandbySaved struct {
		Number uint64
		Err    error
	}
	// ConfigurationSaved is what came of a SaveConfiguration.
	ConfigurationSaved struct{ Err error }
	// KeptOutSaved is what came of a SaveKeptOut.
	KeptOutSaved struct{ Err error }
	// Resume lets real servers in that manual_resume keeps out. Where it names none, it ends
	// a standby, and what failovers have left: virtual routers that do not take their roles
	// back. Asker is answered when that is done.
	Resume struct {
		api.ResumeOrder
		By    api.User
		Asker func(api.Ordered)
	}
	// Stop asks for the virtual routers to be handed over.
	Stop struct{}
	// HandedOver is the end of the hand-over, in order or not.
	HandedOver struct{ Err error }
)

// An Asker takes the outcome of the reload that it asked for. It must not block.
type Asker func(api.Reloaded)

// An Observation is one result of one target, as the checker reports it.
type Observation struct {
	Target checker.Target
	Result checker.Result
}

// A Loaded is the outcome of reading the configuration.
type Loaded struct {
	// Config is nil where the text is the one that runs already.
	Config *config.Config
	// Files are those of Config, as they were read, so that they can be kept.
	Files []api.File
	// Warnings accompany a valid configuration, one line each.
	Warnings []string
	// Err reports that the configuration is not valid, or could not be read. Its
	// text is the first mistake, with its place.
	Err error
	// Mistakes are all mistakes of a configuration that is not valid; they are
	// told in place of Err.
	Mistakes []event.Event
	// Diagnosis is all of them as one text for people.
	Diagnosis string
	// Found is the IPVS table as it was when it was opened for this
	// configuration; nil where it was not opened.
	Found ipvsctl.Table

	table   Table     // that was opened
	keptOut []KeptOut // of an earlier process
	// tuned are the kernel's parameters that it had changed, as they were before.
	tuned map[machine.Setting]string
}

// A KeptOut is a real server that has failed, and that manual_resume keeps out until an
// operator lets it in.
type KeptOut struct {
	Service string // the service's name
	Server  ipvsctl.DestinationKey
	Since   time.Time // when it failed
}

// An Effect is something that the core wants done: one of these types. Those that
// set something are whole, and the newest wins.
type Effect any

type (
	// TellConnections tells others of all connections from now on, or with nil no more.
	TellConnections struct{ *connections.Telling }
	// LearnConnections listens until others have told of all connections.
	LearnConnections struct{ ipvsctl.SyncDaemon }
	// SetTable makes the kernel's table what it should be.
	SetTable ipvsctl.Desired
	// SetRules makes the kernel's packet filter do this with packets of virtual services.
	SetRules ipvsctl.Ruleset
	// SetTargets makes these the targets that are probed.
	SetTargets []*checker.Target
	// SetIdle makes these the targets of services without traffic.
	SetIdle []*checker.Target
	// Retry probes at once what could not be probed the last time.
	Retry struct{}
	// Suspect probes targets at once, and a few times more soon after.
	Suspect []checker.Target
	// Restart gives up the probes of targets that have not ended long after they should have,
	// and begins others.
	Restart []checker.Target
	// Configure makes the edges follow a director block that has changed.
	Configure config.Director
	// TellKeeper makes the keeper run these virtual routers.
	TellKeeper vrrp.Desired
	// SetHooks makes these the hooks and the streams, for these virtual routers.
	SetHooks struct {
		Routers []vrrp.Config
		Hooks   []config.Hook
		Streams []config.Stream
	}
	// TellHooks tells them of the states that virtual services and their servers have come
	// into.
	TellHooks []api.ServiceState
	// AssertHooks runs the hooks again of virtual routers and sync groups of these names,
	// or of all where there are none, and tells the asker what came of them.
	AssertHooks struct {
		Names []string
		By    api.User
		Asker func(api.Ordered)
	}
	// SetResources makes these the resources of these virtual routers.
	SetResources struct {
		Routers   []vrrp.Config
		Resources []config.Resource
	}
	// RetryResources lets resources be started again that could not be started.
	RetryResources struct{}
	// Heartbeat tells the keeper that this director is alive.
	Heartbeat struct{}
	// Notify tells the service manager a state: READY, RELOADING or STOPPING.
	Notify string
	// Describe tells the service manager how the daemon is, for people.
	Describe string
	// Read begins a reading of the configuration, to be compared with the one
	// that runs; with Open, the IPVS table is opened too if it needs one. It
	// ends with a ReadingEnded of the same number.
	Read struct {
		Number  int
		Running *config.Config
		Open    bool
	}
	// Look begins a look at the machine, and at the ways to some addresses. It ends with a
	// MachineSeen. With IPVS, that has more to be looked at than parameters.
	Look struct {
		To   []netip.Addr
		IPVS bool
	}
	// Tune gives parameters of the kernel values. What all those that lvsd has changed were
	// before is kept beyond this process first. It ends with a Tuned.
	Tune struct{ Values, Before map[machine.Setting]string }
	// HandOver hands every virtual router over and ends the keeper, within a
	// limit, stops what resources are left, and then runs the hooks for their end, and gives
	// parameters of the kernel their values back. It ends with HandedOver.
	HandOver struct {
		Limit   time.Duration
		Restore map[machine.Setting]string
		// Kept are parameters that stay as lvsd has set them, with their values before.
		Kept map[machine.Setting]string
	}
	// Answer tells an asker how the reload has ended.
	Answer struct {
		Asker
		Outcome api.Reloaded
	}
	// Conclude tells who has given an order what became of it.
	Conclude struct {
		Asker   func(api.Ordered)
		Outcome api.Ordered
	}
	// SaveStandby keeps a standby beyond this process, or with nil none. It ends with a
	// StandbySaved; the one with the greatest number counts.
	SaveStandby struct {
		Number  uint64
		Standby *api.Standby
	}
	// SaveConfiguration keeps the files of a configuration that was accepted. It ends with
	// a ConfigurationSaved.
	SaveConfiguration struct {
		At     time.Time
		Digest string
		Files  []api.File
	}
	// SaveKeptOut keeps, beyond this process, which real servers are kept out. It ends with
	// a KeptOutSaved, and there is no other before that.
	SaveKeptOut []KeptOut
	// Tell reports an event.
	Tell struct{ event.Event }
)
