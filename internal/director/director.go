package director

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/machine"
	"github.com/lvsd/lvsd/ipvsctl"
	"github.com/lvsd/lvsd/vrrp"
)

// A Keeper is the process that keeps the adverts, as seen from here.
type Keeper interface {
	// Set says which routers shall run; the newest wins, and it never blocks.
	Set(vrrp.Desired)
	// Heartbeat says that this loop is alive.
	Heartbeat()
	// Statuses are the routers' as last heard; Changed tells of new ones.
	Statuses() []vrrp.Status
	Changed() <-chan struct{}
	// Status says how the keeper itself is.
	Status() KeeperStatus
	// Stop hands every virtual router over, and ends the keeper.
	Stop(context.Context) error
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

// Probes is the checker.
type Probes interface {
	Set([]checker.Target)
	Run(context.Context, func(checker.Target, checker.Result)) error
	Stats() checker.Stats
}

// A Loaded is the outcome of reading the configuration.
type Loaded struct {
	// Config is nil where the text is the one that runs already.
	Config *config.Config
	// Warnings accompany a valid configuration, one line each.
	Warnings []string
	// Err says that the configuration is not valid, or could not be read. Its
	// text is the first mistake, with its place.
	Err error

	// table and found are what OpenTable returned, where it was called.
	table Table
	found ipvsctl.Table
}

// Options are what a Director works with. All of them are needed.
type Options struct {
	Version string
	Path    string // of the configuration, for status
	Log     *slog.Logger
	Keeper  Keeper
	Probes  Probes
	// OpenTable opens the IPVS table, when the first virtual service is
	// configured, and returns the rows that an earlier run left there.
	OpenTable func(context.Context) (Table, ipvsctl.Table, error)
	// Load reads the configuration again, and compares it with the one that
	// runs. It may take long: it is called on a goroutine of its own.
	Load func(running *config.Config) Loaded
	// Machine looks at the machine: once when Run begins, which ends where that
	// fails, and about every ten seconds from then on. The kernel may let it wait:
	// those later looks are on a goroutine of their own.
	Machine func() (machine.Facts, error)
	// Notify tells the service manager; state is one of READY, RELOADING and
	// STOPPING.
	Notify func(state string)
}

// tick is the time between heartbeats, and machineTicks how many of them pass
// between two looks at the machine.
const (
	tick         = time.Second
	machineTicks = 10
)

// resultQueue is how many results may wait for the loop before the probes do.
const resultQueue = 256

// errStopped is what those are told who ask a director that has ended.
var errStopped = errors.New("the director has stopped")

// A Director owns the state of the daemon. All its fields but the channels
// belong to the loop in Run.
type Director struct {
	o      Options
	config *config.Config
	table  Table // nil until a virtual service is configured
	// found are the rows that an earlier run left in the kernel's table.
	found    ipvsctl.Table
	healths  *Healths
	statuses []vrrp.Status
	machine  machine.Facts
	own      map[netip.Addr]bool
	warnings []string
	reload   ReloadStatus
	started  time.Time
	// atStart is the director block that the daemon was started with.
	atStart config.Director

	// dirty: something that the plan depends on has changed.
	dirty bool
	ready bool
	// probing: the first table is in the kernel, or was waited for in vain.
	probing bool
	// applying is when a reload was applied that is not in the kernel yet;
	// zero: none.
	applying time.Time
	// warned are the warnings of the last look at the machine; each is logged
	// when its subject is new.
	warned []warning
	// tallies are the counters of adverts within about a minute, the oldest
	// first.
	tallies []tally
	// planned is the last plan, and lacking are the services that had no server
	// left by it.
	planned Planned
	lacking map[ipvsctl.ServiceKey]bool
	// awaitedUntil is until when servers that are new may lack a first result
	// without that being an outage.
	awaitedUntil time.Time
	// loading is since when a configuration is being read, and loaded where it
	// arrives; again: another one was asked for meanwhile. Readings counts those
	// that have not returned, with those that were given up.
	loading  time.Time
	loaded   <-chan Loaded
	again    bool
	readings atomic.Int32
	stopping bool
	// looked is where a look at the machine arrives; nil where none is due.
	looked chan look

	results chan observation
	reloads chan struct{}
	calls   chan func()
	stopped chan struct{}

	// work ends what runs beside the loop; running counts it.
	work    context.Context
	running sync.WaitGroup
	failed  chan error
}

// An observation is one result of one target.
type observation struct {
	target checker.Target
	result checker.Result
}

// New returns a director for a valid configuration. Nothing runs before Run.
func New(c *config.Config, warnings []string, o Options) *Director {
	return &Director{
		o: o, config: c, warnings: warnings, healths: NewHealths(),
		results: make(chan observation, resultQueue),
		reloads: make(chan struct{}, 1),
		calls:   make(chan func()),
		stopped: make(chan struct{}),
		failed:  make(chan error, 2),
	}
}

// Reload asks for the configuration to be read again. It never blocks, and
// requests that come faster than they are served are one.
func (d *Director) Reload() {
	select {
	case d.reloads <- struct{}{}:
	default:
	}
}

// Run is the director, until ctx ends or something fails that it cannot work
// without. When ctx ends it hands over first, which may take four intervals of
// the slowest virtual router.
func (d *Director) Run(ctx context.Context) error {
	defer close(d.stopped)
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	d.work = work
	defer d.running.Wait()
	defer cancel()

	now := time.Now()
	d.started, d.atStart = now, d.config.Director
	d.awaitedUntil = now.Add(d.atStart.StartDelay)
	d.tallies = []tally{{at: now}}
	m, err := d.o.Machine()
	if err != nil {
		return err
	}
	d.judge(m)
	l := Loaded{Config: d.config}
	if l.open(ctx, d.o.OpenTable); l.Err != nil {
		return l.Err
	}
	d.adopt(l)
	d.reload = ReloadStatus{Path: d.o.Path, Digest: d.config.Digest, Applied: now, Last: now, OK: true, Succeeded: 1}
	d.run("checker", func(ctx context.Context) error { return d.o.Probes.Run(ctx, d.report) })
	d.configure(now)

	err = d.loop(ctx)
	cancel()
	d.running.Wait()
	if err == nil && d.table != nil && !d.atStart.KeepTable {
		err = d.table.Clear(context.WithoutCancel(ctx))
	}
	return err
}

// loop serves events until the director is told to stop and has handed over.
func (d *Director) loop(ctx context.Context) error {
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	patience := time.NewTimer(d.atStart.StartDelay)
	defer patience.Stop()
	stop := ctx.Done()
	var handedOver chan struct{}
	for ticks := 1; ; {
		d.settle()
		select {
		case <-stop:
			stop, handedOver = nil, d.handOver()
		case <-handedOver:
			return nil
		case err := <-d.failed:
			return err
		case r := <-d.results:
			d.observe(r)
		case <-d.o.Keeper.Changed():
			d.hear(d.o.Keeper.Statuses())
		case <-d.applied():
		case <-d.reloads:
			d.startReload(ctx)
		case l := <-d.loaded:
			d.finishReload(l)
		case call := <-d.calls:
			call()
		case <-patience.C:
			d.beginProbes()
			d.becomeReady("the start delay is over")
		case <-ticker.C:
			d.o.Keeper.Heartbeat()
			now := time.Now()
			d.overdue(now)
			if until := d.planned.Until; !until.IsZero() && !now.Before(until) {
				d.dirty = true
			}
			if ticks++; ticks%machineTicks == 0 {
				d.look()
				d.tallies = remember(d.tallies, tally{now, d.counters()})
			}
		case l := <-d.looked:
			d.looked = nil
			d.saw(l)
		}
	}
}

// settle does what has become due since the last event: plan, become ready,
// and tell the service manager of a reload that is in the kernel.
func (d *Director) settle() {
	if d.dirty {
		d.dirty = false
		d.plan()
	}
	converged, refused := true, false
	if d.table != nil {
		s := d.table.Snapshot()
		converged, refused = s.Converged, s.Stats.LastError != ""
	}
	if converged || refused {
		d.beginProbes()
	}
	if converged && d.healths.Unheard() == 0 {
		d.becomeReady("nothing is waited for: the table is loaded, and every target has had a result")
	}
	if d.applying.IsZero() || !d.ready {
		return
	}
	// A row that the kernel refuses is tried again and again; the service
	// manager need not wait for that.
	if converged || time.Since(d.applying) > d.atStart.StartDelay {
		d.applying = time.Time{}
		d.reloaded()
	}
}

// beginProbes sets the first targets. The table comes before them: thousands
// of first probes at once would take the processor from the one who loads it
// (measured, 10,000 servers on one processor: 7.5 s to the full table, not 3).
func (d *Director) beginProbes() {
	if !d.probing {
		d.probing = true
		d.probe(time.Now())
	}
}

// probe sets the targets, and awaits the first results of those that are new.
func (d *Director) probe(now time.Time) {
	d.o.Probes.Set(Targets(d.config))
	d.awaitedUntil = now.Add(d.atStart.StartDelay)
}

// plan hands the newest table to the reconciler.
func (d *Director) plan() {
	if d.table == nil {
		return
	}
	masters := make(map[string]bool, len(d.statuses))
	for i := range d.statuses {
		masters[d.statuses[i].Name] = d.statuses[i].State == vrrp.Master
	}
	d.planned = Plan(time.Now(), d.config, World{
		State:        d.healths.State,
		Master:       func(router string) bool { return masters[router] },
		Own:          func(a netip.Addr) bool { return d.own[a] },
		AwaitedUntil: d.awaitedUntil,
	})
	d.tellOutages()
	d.table.Set(ipvsctl.Desired{Table: d.planned.Table, Exclusive: d.atStart.ExclusiveTable})
}

// tellKeeper says which virtual routers shall run.
func (d *Director) tellKeeper() {
	if !d.stopping {
		d.o.Keeper.Set(vrrp.Desired{Routers: d.config.Routers, Conditions: []vrrp.Condition{{
			Name: "table loaded", OK: d.ready, Reason: "waiting for the first IPVS table and the first result of every check",
		}}})
	}
}

// observe takes one result, and those that wait behind it, so that a burst of
// them is planned for once.
func (d *Director) observe(o observation) {
	now := time.Now()
	for range resultQueue {
		for _, c := range d.healths.Observe(now, o.target, o.result) {
			d.dirty = true
			d.logChange(c)
		}
		select {
		case o = <-d.results:
		default:
			return
		}
	}
}

// hear takes the routers' newest statuses; the plan depends on their roles
// alone.
func (d *Director) hear(statuses []vrrp.Status) {
	d.dirty = d.dirty || !slices.EqualFunc(d.statuses, statuses, func(a, b vrrp.Status) bool {
		return a.Name == b.Name && a.State == b.State
	})
	d.statuses = statuses
}

// logChange writes the one line of a real server that changed.
func (d *Director) logChange(c Change) {
	args := []any{"service", c.Service, "server", c.Server, "address", c.Address.String()}
	switch c.State {
	case checker.Up:
		d.o.Log.Info("real server is up", args...)
	case checker.Down:
		d.o.Log.Warn("real server is down", append(args, "reason", c.Detail)...)
	}
}

// configure tells everybody of the configuration that runs from now on.
func (d *Director) configure(now time.Time) {
	d.healths.Configure(now, d.config.Services, d.found)
	// What was found at the start says nothing of servers that come later.
	d.found = nil
	d.dirty = true
	if d.probing {
		d.probe(now)
	}
	d.tellKeeper()
}

// report hands a result to the loop; probes wait for it where it is behind.
func (d *Director) report(t checker.Target, r checker.Result) {
	select {
	case d.results <- observation{t, r}:
	case <-d.work.Done():
	}
}

// becomeReady lets the virtual routers leave Initialize.
func (d *Director) becomeReady(why string) {
	if d.ready {
		return
	}
	d.ready = true
	d.tellKeeper()
	d.o.Log.Info("ready", "because", why, "services", len(d.config.Services),
		"routers", len(d.config.Routers), "targets_without_result", d.healths.Unheard())
	d.o.Notify("READY")
}

// open opens the IPVS table where a configuration has need of it. Listing a
// large one takes seconds, so a reload does it beside the loop.
func (l *Loaded) open(ctx context.Context, openTable func(context.Context) (Table, ipvsctl.Table, error)) {
	if l.Err != nil || l.Config == nil || len(l.Config.Services) == 0 {
		return
	}
	first := &l.Config.Services[0]
	var err error
	if l.table, l.found, err = openTable(ctx); err != nil {
		l.Err = fmt.Errorf("opening the IPVS table for virtual service %q (%s): %w", first.Name, first.Source, err)
	}
}

// adopt begins to work with the table that was opened, if one was.
func (d *Director) adopt(l Loaded) {
	if l.table != nil {
		d.table, d.found = l.table, l.found
		d.run("reconciler", l.table.Run)
	}
}

// run starts one of the loops beside this one. Its end is the daemon's, except
// when that ends anyway.
func (d *Director) run(name string, loop func(context.Context) error) {
	d.running.Go(func() {
		if err := loop(d.work); err != nil && d.work.Err() == nil {
			d.failed <- fmt.Errorf("the %s ended: %w", name, err)
		}
	})
}

// applied is the table's channel, nil without one.
func (d *Director) applied() <-chan struct{} {
	if d.table == nil {
		return nil
	}
	return d.table.Applied()
}

// handOver begins the stop: the keeper hands over on a goroutine of its own,
// while this loop keeps the table equal to the servers' health until the peer
// has the address.
func (d *Director) handOver() chan struct{} {
	d.stopping = true
	d.o.Notify("STOPPING")
	if slices.ContainsFunc(d.statuses, func(s vrrp.Status) bool { return s.State == vrrp.Master }) {
		d.o.Log.Info("stopping: handing over")
	} else {
		d.o.Log.Info("stopping")
	}
	done := make(chan struct{})
	limit := 10*time.Second + 4*d.longestInterval()
	d.running.Go(func() {
		defer close(done)
		ctx, cancel := context.WithTimeout(d.work, limit)
		defer cancel()
		if err := d.o.Keeper.Stop(ctx); err != nil {
			d.o.Log.Error("could not hand over in order", "error", err)
		}
	})
	return done
}

// longestInterval is the longest advert interval of any router.
func (d *Director) longestInterval() time.Duration {
	var longest time.Duration
	for i := range d.config.Routers {
		longest = max(longest, d.config.Routers[i].Interval)
	}
	return longest
}
