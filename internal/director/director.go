package director

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"sync"
	"time"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/event"
	"github.com/lvsd/lvsd/internal/machine"
	"github.com/lvsd/lvsd/ipvsctl"
	"github.com/lvsd/lvsd/ipvsctl/connections"
)

// Connections tells other directors of all connections, while it runs.
type Connections interface {
	// Set says what is to be told, and with nil nothing. It waits for nobody.
	Set(*connections.Telling)
	Run(context.Context) error
	// Learn listens to a director that tells, until that has told of all, and returns nil
	// then. It calls begun when that begins to.
	Learn(ctx context.Context, d ipvsctl.SyncDaemon, begun func()) error
}

// A Trial is of the configuration that runs until it is confirmed, if one does.
type Trial interface {
	// Begin keeps the configuration that runs, which has this digest, to go back to it after
	// a time. It, End and Fail may wait for the disk.
	Begin(by api.User, digest string, lasts time.Duration, stake *Stake) error
	// End ends it, if there is one, so that the files count.
	End(by api.User) error
	// Stake is what must go on to serve; nil: nothing, or there is no trial. It waits for
	// nobody.
	Stake() *Stake
	// Fail goes back at once, since that is lost.
	Fail(lost string)
	// Status returns it; nil: there is none. It waits for nobody.
	Status() *api.Trial
}

// Options are what a Director works with. All of them are needed.
type Options struct {
	Version string
	Path    string     // of the configuration, for status
	Files   []api.File // of the configuration that it begins with, to be kept
	Events  event.Sink // called by the loop alone
	Keeper  Keeper
	Probes  Probes
	Hooks   Hooks
	// Resources are those of the virtual routers.
	Resources Resources
	// Configure makes the edges follow another director block than the one that
	// they were made for. The loop calls it, so it must not block.
	Configure func(config.Director)
	// HTTP returns why monitoring has no answer; nil: it has, or none is configured.
	HTTP func() error
	// Alone returns why a second daemon in this network namespace would not be
	// kept out; nil: it would.
	Alone func() error
	// OpenTable opens the IPVS table, when the first virtual service is
	// configured, and returns the rows that an earlier run left there. With
	// Owned, some of those are lvsd's, and it is opened at the start in any case.
	OpenTable func(context.Context) (Table, ipvsctl.Table, error)
	Owned     bool
	// Load reads the configuration again, and compares it with the one that
	// runs. It may take long: it is called on a goroutine of its own.
	Load func(running *config.Config) Loaded
	// Candidate reads a configuration as Load does: of these files, or with none the
	// daemon's own. It may take as long. Rows reads virtual services of the kernel's table
	// and what was counted for them, as far as they are there; with nil the whole table.
	// Both are called by who asks for a plan.
	Candidate func(running *config.Config, files []api.File) Loaded
	Rows      func(ctx context.Context, keys []ipvsctl.ServiceKey) (ipvsctl.Table, map[ipvsctl.ServiceKey]ipvsctl.Rows[ipvsctl.Counters], error)
	// Connections tells other directors of all connections.
	Connections Connections
	// Rules keep what the kernel's packet filter does with packets of virtual services.
	Rules Filter
	// Machine looks at the machine, at the ways to some addresses, and with ipvs at what IPVS has besides
	// parameters: once when Run begins, which ends if that
	// fails, and about every ten seconds from then on. The kernel may let it wait:
	// those later looks are on a goroutine of their own.
	Machine func(to []netip.Addr, ipvs bool) (machine.Facts, error)
	// Tune gives parameters of the kernel values, once it has kept beyond this process
	// what those were before that lvsd has changed: Tuned are those that an earlier one had,
	// on this boot and in this network namespace. It returns why some were refused, and why
	// they could not be kept. It is called on a goroutine of its own, once at a time.
	Tune  func(values, before map[machine.Setting]string) (refused map[machine.Setting]error, unsaved error)
	Tuned map[machine.Setting]string
	// Standby is one of an earlier process that is not over; nil: there is none.
	Standby *api.Standby
	// SaveStandby keeps a standby beyond this process, or with nil none. Of several, the
	// one with the greatest number counts. It may take long: it is called on goroutines
	// of their own.
	SaveStandby func(number uint64, s *api.Standby) error
	// KeptOut are the real servers that an earlier process has kept out (manual_resume), and
	// SaveKeptOut keeps others beyond this one. It may take long: it is called on a goroutine
	// of its own, once at a time.
	KeptOut     []KeptOut
	SaveKeptOut func([]KeptOut) error
	// SaveConfiguration keeps the files of a configuration that was accepted. It may take
	// long: it is called on goroutines of their own.
	SaveConfiguration func(SaveConfiguration) error
	// Trial is of the configuration that runs.
	Trial Trial
	// MachineChanges tells, within bounds, that the machine's interfaces,
	// addresses or routes have changed.
	MachineChanges <-chan struct{}
	// Notify tells the service manager: "READY=1", "RELOADING=1", "STOPPING=1" or
	// "STATUS=…", as in sd_notify(3).
	Notify func(assignment string)
}

// observations are results on their way to the loop, in memory that is used again.
type observations struct{ all Probed }

var results = sync.Pool{New: func() any { return new(observations) }}

// recycle gives the memory back, if it is not much.
func (o *observations) recycle() {
	clear(o.all)
	if o.all = o.all[:0]; cap(o.all) <= 4*resultQueue {
		results.Put(o)
	}
}

// errStopped is the answer of a director that has ended.
var errStopped = errors.New("the director has stopped")

// A Director is the loop around a Core: it has the channels, the clock and the
// edges, and decides nothing.
type Director struct {
	o     Options
	first Loaded
	core  *Core
	table Table // nil until a virtual service is configured
	// applied is the table's channel, nil without one.
	applied <-chan struct{}

	results chan *observations
	reloads chan struct{}
	// inputs are from what the core began, and from who waits for a reload; calls
	// are from others who ask.
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
	files := o.Files
	o.Files = nil // They are garbage when they are kept.
	return &Director{
		o: o, first: Loaded{Config: c, Files: files, Warnings: warnings},
		results: make(chan *observations, resultQueue),
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

// ReloadAndWait asks for the configuration to be read again, and returns how
// that ended: within two readings, since one may be under way. An error means
// that the loop did not take the order before ctx ended, or has ended itself.
func (d *Director) ReloadAndWait(ctx context.Context) (api.Reloaded, error) {
	return order(ctx, d, func(answer func(api.Reloaded)) Input { return Reload{answer} })
}

// A trial lasts between these.
const (
	shortestTrial = time.Second
	longestTrial  = 24 * time.Hour
)

// Apply takes the configuration's files, for good or until they are confirmed: what runs now
// is kept to go back to before they are read. It fails as ReloadAndWait does.
func (d *Director) Apply(ctx context.Context, by api.User, o api.ApplyOrder) (api.Applied, error) {
	if o.Confirm != 0 && (o.Confirm < shortestTrial || o.Confirm > longestTrial) {
		return unapplied(fmt.Errorf("a configuration is on trial for %v to %v, and not for %v", shortestTrial, longestTrial, o.Confirm)), nil
	}
	if err := o.Lose.Check(); err != nil {
		return unapplied(err), nil
	}
	var stake *Stake
	digest, err := ask(ctx, d, func() string { stake = d.core.stake(o.Lose); return d.core.config.Digest })
	if err != nil {
		return api.Applied{}, err
	}
	if o.Confirm > 0 {
		err = d.o.Trial.Begin(by, digest, o.Confirm, stake)
	} else {
		err = d.o.Trial.End(by)
	}
	if err != nil {
		return unapplied(err), nil
	}
	work, cancel := context.WithTimeout(context.WithoutCancel(ctx), planPatience)
	defer cancel()
	r, err := d.ReloadAndWait(work)
	if o.Confirm > 0 && (err != nil || !r.OK || len(r.Changes) == 0) {
		err = errors.Join(err, d.o.Trial.End(by)) // What runs is what ran before.
	}
	return api.Applied{Reloaded: r, Trial: d.o.Trial.Status()}, err
}

// Confirm has the configuration that is on trial run for good.
func (d *Director) Confirm(_ context.Context, by api.User, _ api.ConfirmOrder) (api.Applied, error) {
	switch s := d.o.Trial.Status(); {
	case s == nil:
		return unapplied(errors.New("no configuration is on trial")), nil
	case s.Over && s.Lost != "":
		return unapplied(fmt.Errorf("it is too late: %s, so the configuration before runs again since %s; lvsd apply takes the files", s.Lost, s.Until.Format(time.DateTime))), nil
	case s.Over:
		return unapplied(fmt.Errorf("it is too late: the time was over at %s, and the configuration before runs again; lvsd apply takes the files", s.Until.Format(time.DateTime))), nil
	}
	if err := d.o.Trial.End(by); err != nil {
		return unapplied(err), nil
	}
	return api.Applied{Reloaded: api.Reloaded{OK: true, Changes: []string{}, Warnings: []string{}}}, nil
}

// unapplied is the answer to an order that is not carried out.
func unapplied(why error) api.Applied {
	return api.Applied{Reloaded: api.Reloaded{Error: why.Error(), Changes: []string{}, Warnings: []string{}}}
}

// Failover has virtual routers offer their roles, and returns what became of that:
// within six advert intervals and some seconds. It fails as ReloadAndWait does.
func (d *Director) Failover(ctx context.Context, by api.User, o api.FailoverOrder) (api.Ordered, error) {
	return order(ctx, d, func(answer func(api.Ordered)) Input { return Failover{o, by, answer} })
}

// StandBy has another director become Master of all virtual routers, and keeps this one
// from being it. It fails as ReloadAndWait does.
func (d *Director) StandBy(ctx context.Context, by api.User, o api.StandbyOrder) (api.Ordered, error) {
	return order(ctx, d, func(answer func(api.Ordered)) Input { return StandBy{o, by, answer} })
}

// Resume lets real servers in that manual_resume keeps out, or ends a standby, and what
// earlier failovers have left. It fails as ReloadAndWait does.
func (d *Director) Resume(ctx context.Context, by api.User, o api.ResumeOrder) (api.Ordered, error) {
	return order(ctx, d, func(answer func(api.Ordered)) Input { return Resume{o, by, answer} })
}

// Assert runs hooks again in the states that there are, and returns what came of them:
// within twenty minutes. It fails as ReloadAndWait does.
func (d *Director) Assert(ctx context.Context, by api.User, o api.AssertOrder) (api.Ordered, error) {
	return order(ctx, d, func(answer func(api.Ordered)) Input { return Assert{o, by, answer} })
}

// planPatience is how long the loop may take to rehearse a configuration.
const planPatience = 10 * time.Second

// Plan returns what a reload would change. Only the first question to the loop ends with
// ctx: that reading takes no longer than a reload's, and the rest is bounded.
func (d *Director) Plan(ctx context.Context, o api.PlanOrder) (api.Plan, error) {
	type present struct {
		config   *config.Config
		opened   bool
		stopping bool
	}
	is, err := ask(ctx, d, func() present { return present{d.core.config, d.core.opened, d.core.stopping} })
	if err != nil {
		return api.Plan{}, err
	}
	l := Loaded{Err: errors.New(stopping.Error)}
	if !is.stopping {
		l = d.o.Candidate(is.config, o.Files)
	}
	work, cancel := context.WithTimeout(context.WithoutCancel(ctx), planPatience)
	defer cancel()
	if l.Err == nil && l.Config != nil && len(l.Config.Services) > 0 && !is.opened {
		l.Found, _, l.Err = d.o.Rows(work, nil)
	}
	var p api.Plan
	if l.Err != nil {
		p.Error, p.Diagnosis = l.Err.Error(), l.Diagnosis
	} else {
		p, err = d.plan(work, l)
	}
	p.SchemaVersion, p.OK, p.Path, p.Node = api.SchemaVersion, l.Err == nil, d.o.Path, is.config.Node
	p.Changes, p.Table, p.Later = append([]api.Difference{}, p.Changes...), append([]api.RowChange{}, p.Table...), append([]api.RowChange{}, p.Later...)
	p.Warnings = append([]string{}, l.Warnings...)
	return p, err
}

// plan rehearses a configuration that was read, and looks at the rows that it concerns.
func (d *Director) plan(ctx context.Context, l Loaded) (api.Plan, error) {
	if l.Config == nil {
		return api.Plan{}, nil // It says what runs already.
	}
	var seen ipvsctl.Snapshot
	r, err := ask(ctx, d, func() rehearsal {
		if d.table != nil {
			seen = d.table.Snapshot()
		}
		return d.core.rehearse(time.Now(), l)
	})
	if err != nil || !r.opened {
		return r.foretell(nil, nil), err
	}
	if seen.Table == nil {
		return r.foretell(l.Found, nil), nil
	}
	keys := r.concerned(seen)
	if len(keys) == 0 {
		return r.foretell(seen.Table, nil), nil
	}
	rows, counters, err := d.o.Rows(ctx, keys)
	if err != nil {
		return api.Plan{}, fmt.Errorf("reading the IPVS table: %w", err)
	}
	return r.foretell(replaced(seen.Table, keys, rows), counters), nil
}

// maxRate bounds for how long connections are counted on request.
const maxRate = 10 * time.Second

// WhatIf returns what would be if real servers were down. It takes as long as connections are
// to be counted, and somewhat more.
func (d *Director) WhatIf(ctx context.Context, o api.WhatIfOrder) (api.WhatIf, error) {
	refused := func(why string) (api.WhatIf, error) {
		return api.WhatIf{SchemaVersion: api.SchemaVersion, Error: why, Services: []api.WhatIfService{}}, nil
	}
	if len(o.Down) == 0 || o.Rate < 0 || o.Rate > maxRate {
		return refused(fmt.Sprintf("name real servers that are down, and count for %v at most", maxRate))
	}
	var wrong error
	s, err := ask(ctx, d, func() (s supposition) {
		s, wrong = d.core.suppose(time.Now(), o.Down)
		return s
	})
	switch {
	case err != nil:
		return api.WhatIf{}, err
	case wrong != nil:
		return refused(wrong.Error())
	}
	work, cancel := context.WithTimeout(context.WithoutCancel(ctx), planPatience+o.Rate)
	defer cancel()
	began := time.Now()
	_, first, err := d.o.Rows(work, s.concerned())
	last, apart := first, time.Duration(0)
	if err == nil && o.Rate > 0 {
		time.Sleep(o.Rate)
		_, last, err = d.o.Rows(work, s.concerned())
		apart = time.Since(began)
	}
	if err != nil {
		return api.WhatIf{}, fmt.Errorf("reading the IPVS table: %w", err)
	}
	return s.tell(first, last, apart), nil
}

// replaced is a table with some of its services as they were read just now.
func replaced(t ipvsctl.Table, keys []ipvsctl.ServiceKey, rows ipvsctl.Table) ipvsctl.Table {
	all := maps.Clone(t)
	for _, key := range keys {
		delete(all, key)
	}
	maps.Copy(all, rows)
	return all
}

// order gives the loop an order, and waits until it was carried out.
func order[T any](ctx context.Context, d *Director, in func(answer func(T)) Input) (answer T, err error) {
	answers := make(chan T, 1)
	select {
	case d.inputs <- in(func(a T) { answers <- a }):
	case <-d.stopped:
		return answer, errStopped
	case <-ctx.Done():
		return answer, ctx.Err()
	}
	select {
	case answer = <-answers:
		return answer, nil
	case <-d.stopped:
		return answer, errStopped
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
	return ask(ctx, d, func() bool { return d.core.ready && !d.core.stopping })
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
	edges := Edges{Version: d.o.Version, Keeper: d.o.Keeper.Status(), Probes: d.o.Probes.Stats(), HTTP: d.o.HTTP(), Alone: d.o.Alone()}
	edges.Hooks = d.o.Hooks.Statuses()
	edges.Streams = d.o.Hooks.Streams()
	edges.Trial = d.o.Trial.Status()
	edges.Resources, edges.GroupResources = d.o.Resources.Statuses()
	edges.Rules = d.o.Rules.Stats()
	if d.table != nil {
		edges.Table = d.table.Snapshot()
	}
	return d.core.Status(now, edges)
}
