package ipvsctl

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"
)

// ErrNoIPVS is what Kernel's methods return where the running kernel has no
// IPVS, neither built in nor as a module that it could load.
var ErrNoIPVS = errors.New("the kernel has no IPVS")

// A Kernel is an IPVS table that operations are applied to. Its methods are
// called from one goroutine at a time.
type Kernel interface {
	// List reads the whole table.
	List(ctx context.Context) (Table, error)
	// Services reads the services without their real servers, which is cheap
	// enough to be done every second.
	Services(ctx context.Context) (map[ServiceKey]Service, error)
	// Read reads one service and what was counted for its real servers. The
	// error is fs.ErrNotExist where there is no such service.
	Read(ctx context.Context, key ServiceKey) (VirtualService, map[DestinationKey]Counters, error)
	// Apply carries the operations out in their order, and goes on after one
	// that the kernel refuses. The error of a Failure is fs.ErrExist or
	// fs.ErrNotExist where a row, or the service of a destination, was there or
	// was not. Where the second result is an error, the exchange with the
	// kernel failed and nobody knows how far it came.
	Apply(ctx context.Context, ops []Op) ([]Failure, error)
}

// A Ledger remembers which services are ours beyond the life of the process.
type Ledger interface {
	// Load returns what was last saved; nothing where nothing was, or where
	// the table it was about is gone with the kernel that held it.
	Load() ([]ServiceKey, error)
	Save(keys []ServiceKey) error
}

// Options are the choices that a Reconciler has.
type Options struct {
	// Log receives what happened to the table; nil logs nothing.
	Log *slog.Logger
	// Exclusive makes every row of the table ours: what is not wanted is
	// deleted, whoever made it.
	Exclusive bool
}

// A Snapshot is what a Reconciler knows. Its maps are shared with others who
// asked: nobody may write to them.
type Snapshot struct {
	// Table is the table as last seen or written: our rows, and before the
	// first Set the whole table as it was found.
	Table Table
	// Counters are the kernel's, as of the last audit of the service.
	Counters map[ServiceKey]map[DestinationKey]Counters
	// Foreign are the services that are not ours, as of the last look.
	Foreign map[ServiceKey]Service
	Stats   Stats
	// Converged: what was Set last is in the kernel, as far as is known.
	Converged bool
}

// The time between two looks at the kernel's table. A flush by hand is
// repaired after this time and what the repair takes.
const lookInterval = time.Second

// How often Clear tries, without a pause.
const clearTries = 3

// A Reconciler keeps the kernel's IPVS table equal to the one last Set. Open
// it, then Run it; Set, Snapshot and Applied may be used at any time by any
// goroutine.
type Reconciler struct {
	pass // what the loop alone touches

	newest  atomic.Pointer[wanted]
	shown   atomic.Pointer[shown]
	wake    chan struct{}
	applied chan struct{}
}

// wanted is a table to be reached; its number tells it from an earlier one.
type wanted struct {
	table  Table
	number uint64
}

// shown is a snapshot of the loop after it worked towards a wanted table.
type shown struct {
	Snapshot
	number uint64
}

// New returns a Reconciler of the kernel's table. It does nothing yet.
func New(k Kernel, l Ledger, o Options) *Reconciler {
	log := o.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	r := &Reconciler{
		pass:    newPass(k, l, log, o.Exclusive),
		wake:    make(chan struct{}, 1),
		applied: make(chan struct{}, 1),
	}
	r.superseded = func() bool { return r.newest.Load().number != r.number }
	r.shown.Store(&shown{})
	return r
}

// Open lists the kernel's table and loads the ledger. It returns the table as
// it was found, rows of others included, so that what already serves can be
// taken over; the caller may keep it and must not write to it. The error is
// ErrNoIPVS where the kernel cannot have such a table.
func (r *Reconciler) Open(ctx context.Context) (Table, error) {
	if err := r.open(ctx); err != nil {
		return nil, fmt.Errorf("reading the IPVS table: %w", err)
	}
	r.publish()
	return r.shown.Load().Table, nil
}

// Set makes want the table to be reached. It never blocks, and the newest
// table wins; nobody may write to want afterwards. Before the first Set
// nothing is written to the kernel.
func (r *Reconciler) Set(want Table) {
	for {
		last := r.newest.Load()
		next := &wanted{table: want, number: 1}
		if last != nil {
			next.number = last.number + 1
		}
		if r.newest.CompareAndSwap(last, next) {
			break
		}
	}
	notify(r.wake)
}

// Applied returns a channel that receives when a table that was Set has come
// to be in the kernel. It holds one notice: after receiving, Snapshot says
// with Converged whether that was the newest table.
func (r *Reconciler) Applied() <-chan struct{} { return r.applied }

// Snapshot returns what is known. It costs next to nothing, however large the
// table is, and waits for nobody.
func (r *Reconciler) Snapshot() Snapshot {
	want, s := r.newest.Load(), r.shown.Load()
	snap := s.Snapshot
	snap.Converged = snap.Converged && want != nil && want.number == s.number
	return snap
}

// Run keeps the kernel's table equal to what was last Set, until ctx ends. It
// repeats what failed, with growing pauses, and returns an error only where
// Open had not been called. The table stays as it is when Run returns.
func (r *Reconciler) Run(ctx context.Context) error {
	if !r.opened {
		return errors.New("ipvsctl: Run before Open")
	}
	timer := time.NewTimer(lookInterval)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-r.wake:
		case <-timer.C:
		}
		timer.Reset(time.Until(r.work(ctx, time.Now())))
	}
}

// work takes one turn of the loop and returns when the next one is due.
func (r *Reconciler) work(ctx context.Context, now time.Time) time.Time {
	want := r.newest.Load()
	if want == nil {
		return now.Add(lookInterval)
	}
	before := r.shown.Load()
	next := r.step(ctx, now, want.table, want.number)
	r.publish()
	if r.converged && !(before.Snapshot.Converged && before.number == want.number) {
		notify(r.applied)
	}
	return next
}

// Clear takes all our rows out of the kernel, for a configuration that asks
// for it at the end. It must not be called before Run has returned.
func (r *Reconciler) Clear(ctx context.Context) error {
	if !r.opened {
		return errors.New("ipvsctl: Clear before Open")
	}
	r.Set(Table{})
	for range clearTries {
		r.hurry()
		r.work(ctx, time.Now())
		if r.Snapshot().Converged {
			return nil
		}
	}
	s := r.Snapshot().Stats
	return fmt.Errorf("clearing the IPVS table: %d operations left: %s", s.Pending, s.LastError)
}

func (r *Reconciler) publish() {
	r.shown.Store(&shown{Snapshot: r.snapshot(), number: r.number})
}

// notify leaves a notice in a channel of one place.
func notify(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
