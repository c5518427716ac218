package ipvsctl

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// A Reconciler keeps the kernel's IPVS table equal to the one last Set, while
// Run runs. Set, Snapshot and Applied may be used at any time by any goroutine.
type Reconciler struct {
	core    *core // what the loop alone touches
	wake    chan struct{}
	applied chan struct{}

	mu    sync.Mutex // guards what follows
	goal  *Desired   // the newest; nil before the first
	shown Snapshot
}

// Open lists the kernel's table and loads the ledger. Until the first Set,
// Snapshot shows the whole table as it was found, rows of others included, so
// that what already serves can be taken over. What happens to the table is
// given to report, unless that is nil: by one goroutine at a time, which waits
// for it. The error is ErrNoIPVS where the kernel cannot have such a table.
func Open(ctx context.Context, k Kernel, l Ledger, report func(Event)) (*Reconciler, error) {
	if report == nil {
		report = func(Event) {}
	}
	c, err := openCore(ctx, k, l, report)
	if err != nil {
		return nil, fmt.Errorf("reading the IPVS table: %w", err)
	}
	r := &Reconciler{core: c, wake: make(chan struct{}, 1), applied: make(chan struct{}, 1)}
	c.superseded = func() bool { return r.newest() != c.goal }
	r.publish()
	return r, nil
}

// Set makes want the state to be reached. It never blocks, and the newest
// state wins. Before the first Set nothing is written to the kernel.
func (r *Reconciler) Set(want Desired) {
	r.mu.Lock()
	r.goal = &want
	r.shown.Converged = false
	r.mu.Unlock()
	notify(r.wake)
}

func (r *Reconciler) newest() *Desired {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.goal
}

// Applied returns a channel that receives when what was Set last has come to
// be in the kernel. It holds one notice: after receiving, Snapshot says with
// Converged whether something newer was Set since.
func (r *Reconciler) Applied() <-chan struct{} { return r.applied }

// Snapshot returns what is known. It costs next to nothing, however large the
// table is, and waits for nobody.
func (r *Reconciler) Snapshot() Snapshot {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.shown
}

// publish shows what is known now, and gives notice where the kernel has come
// to hold the newest goal.
func (r *Reconciler) publish() {
	s := r.core.snapshot()
	r.mu.Lock()
	s.Converged = s.Converged && r.goal == r.core.goal
	reached := s.Converged && !r.shown.Converged
	r.shown = s
	r.mu.Unlock()
	if reached {
		notify(r.applied)
	}
}

// Run keeps the kernel's table equal to what was last Set, until ctx ends. It
// repeats what failed, with growing pauses. The table stays as it is when Run
// returns, which it does with nil.
func (r *Reconciler) Run(ctx context.Context) error {
	timer := time.NewTimer(lookInterval)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-r.wake:
		case <-timer.C:
		}
		begun := time.Now()
		next := r.work(ctx, begun)
		timer.Reset(time.Until(spared(begun, time.Now(), next)))
	}
}

const (
	// spare is how many times as long as a look the reconciler does nothing after it: on a
	// slow machine, looks at a large table take a twentieth of the time, not all of it.
	spare        = 19
	longestSpare = 5 * time.Second
	// longestLook is what a look takes at most. A longer step has written much, or has
	// waited for an answer.
	longestLook = 2 * time.Second
)

// spared is when the next step is due after one that took so long.
func spared(begun, ended, next time.Time) time.Time {
	took := ended.Sub(begun)
	if earliest := ended.Add(min(spare*took, longestSpare)); took <= longestLook && next.Before(earliest) {
		return earliest
	}
	return next
}

// work takes one step and returns when the next one is due.
func (r *Reconciler) work(ctx context.Context, now time.Time) time.Time {
	newest := r.newest()
	if newest == nil {
		return now.Add(lookInterval)
	}
	next := r.core.step(ctx, now, newest)
	r.publish()
	return next
}

// Clear takes all our rows out of the kernel, for a configuration that asks
// for it at the end. It must not be called before Run has returned.
func (r *Reconciler) Clear(ctx context.Context) error {
	newest := r.newest()
	r.Set(Desired{Exclusive: newest != nil && newest.Exclusive})
	for range 3 {
		r.core.backoff, r.core.refused = backoff{}, refused{} // at the end there is no time for pauses
		r.work(ctx, time.Now())
		if r.Snapshot().Converged {
			return nil
		}
	}
	s := r.Snapshot().Stats
	return fmt.Errorf("clearing the IPVS table: %d operations left: %s", s.Pending, s.LastError)
}

// notify leaves a notice in a channel that holds one.
func notify(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
