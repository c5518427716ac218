package director

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/event"
	"github.com/lvsd/lvsd/internal/machine"
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
	Statuses() []vrrp.Status
	Changed() <-chan struct{}
	// Status is how the keeper itself is.
	Status() api.Keeper
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

// Options are what a Director works with. All of them are needed.
type Options struct {
	Version string
	Path    string     // of the configuration, for status
	Events  event.Sink // called by the loop alone
	Keeper  Keeper
	Probes  Probes
	// OpenTable opens the IPVS table, when the first virtual service is
	// configured, and returns the rows that an earlier run left there. With
	// Owned, some of those are lvsd's, and it is opened at the start in any case.
	OpenTable func(context.Context) (Table, ipvsctl.Table, error)
	Owned     bool
	// Load reads the configuration again, and compares it with the one that
	// runs. It may take long: it is called on a goroutine of its own.
	Load func(running *config.Config) Loaded
	// Machine looks at the machine: once when Run begins, which ends if that
	// fails, and about every ten seconds from then on. The kernel may let it wait:
	// those later looks are on a goroutine of their own.
	Machine func() (machine.Facts, error)
	// Notify tells the service manager; state is one of READY, RELOADING and
	// STOPPING.
	Notify func(state string)
}

// resultQueue is how many results may wait for the loop before the probes do.
const resultQueue = 256

// errStopped is the answer of a director that has ended.
var errStopped = errors.New("the director has stopped")

// A Director is the loop around a Core: it has the channels, the clock and the
// edges, and decides nothing.
type Director struct {
	o     Options
	first Loaded
	core  *Core
	table Table // nil until a virtual service is configured
	// seen is what the core was told about the table last.
	seen TableSeen

	results chan Observation
	reloads chan struct{}
	// inputs are from what the core began; calls are from others who ask.
	inputs  chan Input
	calls   chan func()
	failed  chan error
	stopped chan struct{}

	// work ends what runs beside the loop; running counts it.
	work    context.Context
	running sync.WaitGroup
}

// New returns a director for a valid configuration. Nothing runs before Run.
func New(c *config.Config, warnings []string, o Options) *Director {
	return &Director{
		o: o, first: Loaded{Config: c, Warnings: warnings},
		results: make(chan Observation, resultQueue),
		reloads: make(chan struct{}, 1),
		inputs:  make(chan Input),
		calls:   make(chan func()),
		failed:  make(chan error, 2),
		stopped: make(chan struct{}),
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

// Status returns the state of the daemon, as its loop sees it. An error means
// that the loop did not answer before ctx ended, or has ended itself.
func (d *Director) Status(ctx context.Context) (*api.Status, error) {
	return ask(ctx, d, func() *api.Status { return d.status(time.Now()) })
}

// Ready reports whether the daemon is ready and not stopping. It fails as Status
// does, and costs next to nothing.
func (d *Director) Ready(ctx context.Context) (bool, error) {
	return ask(ctx, d, func() bool { return d.core.readiness.ready && !d.core.stopping })
}

// ask has the loop answer a question.
func ask[T any](ctx context.Context, d *Director, question func() T) (answer T, err error) {
	answers := make(chan T, 1)
	select {
	case d.calls <- func() { answers <- question() }:
		return <-answers, nil
	case <-d.stopped:
		return answer, errStopped
	case <-ctx.Done():
		return answer, ctx.Err()
	}
}

func (d *Director) status(now time.Time) *api.Status {
	edges := Edges{Version: d.o.Version, Keeper: d.o.Keeper.Status(), Probes: d.o.Probes.Stats()}
	if d.table != nil {
		edges.Table = d.table.Snapshot()
	}
	return d.core.Status(now, edges)
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

	facts, err := d.o.Machine()
	if err != nil {
		return err
	}
	l := d.first
	d.first = Loaded{} // it is garbage after the first reload
	l.open(ctx, d.o.OpenTable, d.o.Owned)
	switch {
	case l.Err != nil && ctx.Err() != nil:
		return nil // It was stopped before there was anything to hand over.
	case l.Err != nil:
		return l.Err
	}
	keepTable := l.Config.Director.KeepTable
	d.beside("checker", func(ctx context.Context) error { return d.o.Probes.Run(ctx, d.report) })
	d.adopt(l)
	core, effects := Begin(time.Now(), d.o.Path, l, facts)
	d.core = core
	d.carryOut(effects)

	err = d.loop(ctx)
	cancel()
	d.running.Wait()
	if err == nil && d.table != nil && !keepTable {
		err = d.table.Clear(context.WithoutCancel(ctx))
	}
	return err
}

// open opens the IPVS table if the configuration needs it, or if rows of ours
// are in it that no longer are configured. Listing a large one takes seconds, so
// a reload does it beside the loop.
func (l *Loaded) open(ctx context.Context, openTable func(context.Context) (Table, ipvsctl.Table, error), owned bool) {
	if l.Err != nil || l.Config == nil || len(l.Config.Services) == 0 && !owned {
		return
	}
	table, found, err := openTable(ctx)
	if err != nil && len(l.Config.Services) == 0 {
		return // nothing is configured that has need of it
	}
	if err != nil {
		first := &l.Config.Services[0]
		l.Err = fmt.Errorf("opening the IPVS table for virtual service %q (%s): %w", first.Name, first.Source, err)
		return
	}
	l.table, l.Found = table, found
	if found == nil {
		l.Found = ipvsctl.Table{}
	}
}

// adopt begins to work with the table that was opened, if one was.
func (d *Director) adopt(l Loaded) {
	if l.table != nil && d.table == nil {
		d.table = l.table
		d.beside("reconciler", l.table.Run)
	}
}

// beside starts one of the loops beside this one. Its end is the daemon's,
// except when that ends anyway.
func (d *Director) beside(name string, loop func(context.Context) error) {
	d.running.Go(func() {
		if err := loop(d.work); err != nil && d.work.Err() == nil {
			d.failed <- fmt.Errorf("the %s ended: %w", name, err)
		}
	})
}

// report hands a result to the loop; probes wait for it if it is behind.
func (d *Director) report(t checker.Target, r checker.Result) {
	select {
	case d.results <- Observation{t, r}:
	case <-d.work.Done():
	}
}
