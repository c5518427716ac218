package director

import (
	"context"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/ipvsctl"
	"github.com/lvsd/lvsd/vrrp"
)

// A Keeper is the process that keeps the adverts, as seen from here.
type Keeper interface {
	// Set makes these the routers that run; the newest wins, and it never blocks.
	Set(vrrp.Desired)
	// Heartbeat tells that this loop is alive.
	Heartbeat()
	// Statuses are the routers' as last heard; Changed tells of new ones.
	Statuses() []*vrrp.Status
	Changed() <-chan struct{}
	// Status is how the keeper itself is.
	Status() api.Keeper
	// Stop hands every virtual router over, and ends the keeper.
	Stop(context.Context) error
}

// Hooks run the programs that are told of the states of virtual routers, virtual services and
// their servers.
type Hooks interface {
	// Configure makes these the hooks and the streams of these routers; it never blocks.
	Configure([]vrrp.Config, []config.Hook, []config.Stream)
	// Streams are how the streams are.
	Streams() []api.Stream
	// Assert runs those again of routers and groups of these names, or of all where there
	// are none, and calls done with what came of them; it never blocks.
	Assert(names []string, by api.User, done func(api.Ordered))
	// Hear takes the states that virtual services and their servers have come into; it never
	// blocks.
	Hear([]api.ServiceState)
	// Statuses are how those of each owner are.
	Statuses() map[config.Owner][]api.Hook
	// Finish runs those for the end of every router and of lvsd, and waits for them.
	Finish(context.Context)
}

// Resources start and stop what a Master runs besides its addresses.
type Resources interface {
	// Configure makes these the resources of these routers; it never blocks.
	Configure([]vrrp.Config, []config.Resource)
	// Statuses are how those of each router and of each sync group are.
	Statuses() (routers, groups map[string][]api.Resource)
	// Barred are why virtual routers must not be Master, by the names of their
	// conditions; Changed tells of others.
	Barred() map[string]string
	Changed() <-chan struct{}
	// Retry lets what could not be started be started again.
	Retry()
	// Finish stops what still runs at the end of every router, and waits for it.
	Finish(context.Context)
}

// A Table is the reconciler of the kernel's IPVS table.
type Table interface {
	Set(ipvsctl.Desired)
	Run(context.Context) error
	Snapshot() ipvsctl.Snapshot
	// Applied tells that the newest table that was set is in the kernel.
	Applied() <-chan struct{}
	// Clear deletes what is ours, when the daemon ends and Run has returned.
	Clear(context.Context) error
}

// A Filter keeps the kernel's rules for packets of virtual services.
type Filter interface {
	// Set makes these the rules; the newest win, and it never blocks.
	Set(ipvsctl.Ruleset)
	Run(context.Context) error
	// Settled reports whether the rules that were set last are in the kernel, or were
	// refused; Tried tells that others are.
	Settled() bool
	Tried() <-chan struct{}
	Stats() ipvsctl.RulesStats
	// Clear removes them, when the daemon ends and Run has returned.
	Clear() error
}

// Probes is the checker.
type Probes interface {
	Set([]*checker.Target)
	// Retry probes at once what could not be probed the last time.
	Retry()
	// Suspect probes targets at once, and a few times more soon after.
	Suspect([]checker.Target)
	// SetIdle makes these the targets that nobody needs now.
	SetIdle([]*checker.Target)
	// Restart gives up the probes of targets that are in flight, and begins others.
	Restart([]checker.Target)
	Run(context.Context, func([]checker.Observation)) error
	Stats() checker.Stats
}

// Edges are what a status tells about the edges, which the core does not know.
type Edges struct {
	Version string
	Keeper  api.Keeper
	Probes  checker.Stats
	Table   ipvsctl.Snapshot
	Rules   ipvsctl.RulesStats
	// Hooks are those of each virtual router, sync group and virtual service.
	Hooks   map[config.Owner][]api.Hook
	Streams []api.Stream
	// Resources and GroupResources are the same of resources.
	Resources, GroupResources map[string][]api.Resource
	Trial                     *api.Trial // of the configuration that runs; nil: none
	HTTP                      error      // why HTTP is not served
	Alone                     error      // why a second daemon would not be kept out
}
