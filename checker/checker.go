package checker

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"time"
)

// DefaultInFlight is how many probes run at one time where nothing else is
// configured.
const DefaultInFlight = 4096

// A Prober runs one probe: it asks the target's address what its Spec says,
// and returns when it knows the outcome, and soon after ctx is done at the
// latest. The deadline of ctx is the target's timeout, and a probe that meets
// it has Failed. Probe is called from many goroutines at once. It need not set
// At and Latency.
type Prober interface {
	Probe(ctx context.Context, t Target) Result
}

// A Checker probes its targets, each at its interval.
type Checker struct {
	prober Prober
	limit  int
	// wake tells Run that the schedule changed, or that a place is free where
	// somebody may wait for it.
	wake chan struct{}

	mu       sync.Mutex
	schedule *schedule
	inFlight int
	// full: when Run last looked, every place was taken, and whoever is due
	// since waits for one.
	full   bool
	counts counts
}

// New returns a Checker without targets that runs at most inFlight probes at
// one time; zero is DefaultInFlight.
func New(p Prober, inFlight int) *Checker {
	if inFlight <= 0 {
		inFlight = DefaultInFlight
	}
	return &Checker{
		prober:   p,
		limit:    inFlight,
		wake:     make(chan struct{}, 1),
		schedule: newSchedule(time.Now()),
		counts:   counts{kinds: make(map[string]*KindStats)},
	}
}

// Set makes targets the whole of what is probed: the newest call wins. It does
// not wait for probes, may be called before, during and after Run, and from
// within a report. Targets that stay keep their schedule; new ones are probed
// at once. The running probe of one that is gone is cancelled, and its result
// is not reported, except where that report had begun before.
func (c *Checker) Set(targets []Target) {
	c.mu.Lock()
	dropped := c.schedule.set(time.Now(), targets)
	for _, e := range dropped {
		if e.cancel != nil {
			e.cancel()
		}
	}
	c.mu.Unlock()
	c.nudge()
}

// nudge makes Run look at the schedule again.
func (c *Checker) nudge() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// Run probes until ctx is done, and returns ctx's error when every probe has
// ended. It is called once.
//
// Each result is given to report by the goroutine of its probe, so reports run
// concurrently, those of one target in order. A report may block: its target
// is not probed again before it returns, and its place among the probes in
// flight stays taken. It must return once ctx is done.
func (c *Checker) Run(ctx context.Context, report func(Target, Result)) error {
	var probes sync.WaitGroup
	defer probes.Wait()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-timer.C:
		case <-c.wake:
		}
		next := c.startAll(ctx, func(e *entry) {
			probes.Go(func() { c.probe(ctx, e, report) })
		})
		timer.Stop()
		if !next.IsZero() {
			timer.Reset(time.Until(next))
		}
	}
}

// batch is how many probes begin before those in flight get a turn.
const batch = 8

// startAll begins the probes that are due, as far as there are places, and
// returns when to look again; zero where only a wake can bring news.
//
// It lets others run in between. Without that, thousands of probes that begin
// together, as at the start, take each other's processor time until they time
// out, though their servers answer (measured: 3,000 TLS handshakes with a
// timeout of 1 s on two busy processors, 2,606 timeouts; with it, 0 to 157).
// Where more are due than there is processor time for, it does not come to an
// end, so it looks whether it should.
func (c *Checker) startAll(ctx context.Context, run func(*entry)) (next time.Time) {
	for ctx.Err() == nil {
		next, more := c.start(run)
		if !more {
			return next
		}
		runtime.Gosched()
	}
	return time.Time{}
}

// start begins one batch, and says whether more may be due.
func (c *Checker) start(run func(*entry)) (next time.Time, more bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	waited := c.full
	for n := 0; c.inFlight < c.limit; n++ {
		if n == batch {
			return time.Time{}, true
		}
		e, due := c.schedule.start(now)
		if e == nil {
			break
		}
		if waited {
			c.counts.late(now.Sub(due))
		}
		c.inFlight++
		run(e)
	}
	if c.full = c.inFlight >= c.limit; c.full {
		return time.Time{}, false
	}
	return c.schedule.deadline(), false
}

// probe runs one probe from its begin to its end.
func (c *Checker) probe(ctx context.Context, e *entry, report func(Target, Result)) {
	if own, ok := c.begin(ctx, e); ok {
		began := time.Now()
		r := c.prober.Probe(own, e.target)
		r.At = time.Now()
		r.Latency = r.At.Sub(began)
		r = unlessOverloaded(e.target, r)
		if c.ended(e, r) && ctx.Err() == nil {
			report(e.target, r)
		}
	}
	c.mu.Lock()
	c.inFlight--
	news := c.schedule.finish(e) || c.full
	c.mu.Unlock()
	if news {
		c.nudge()
	}
}

// unlessOverloaded makes a failure NotRun that came long after the deadline: a
// director that is so late to notice, for it was stopped or has no processor
// time, can't tell whether the answer was in time.
func unlessOverloaded(t Target, r Result) Result {
	slack := max(t.Timeout/4, 100*time.Millisecond)
	if r.Outcome == Failed && r.Latency > t.Timeout+slack {
		r.Outcome = NotRun
		r.Detail = fmt.Sprintf("this director is overloaded or was stopped: it noticed the timeout of %v after %v",
			t.Timeout, r.Latency.Round(time.Millisecond))
	}
	return r
}

// begin starts the timeout of a probe; ok is false where its target has been
// removed meanwhile.
func (c *Checker) begin(ctx context.Context, e *entry) (own context.Context, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e.stale {
		return nil, false
	}
	own, e.cancel = context.WithTimeout(ctx, e.target.Timeout)
	return own, true
}

// ended counts a result, unless its target was removed: then nobody wants it.
func (c *Checker) ended(e *entry, r Result) (wanted bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	wanted = !e.stale
	e.cancel()
	if wanted {
		c.schedule.hear(r.At, e, r.Refused)
		c.counts.result(e.target.Spec.Kind(), r)
	}
	return wanted
}

// Stats returns what was counted so far.
func (c *Checker) Stats() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.counts.stats()
	s.Targets = c.schedule.wanted
	s.InFlight = c.inFlight
	if c.full {
		s.Waiting = c.schedule.waiting(time.Now())
	}
	return s
}
