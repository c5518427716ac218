package checker

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"time"
)

// DefaultInFlight is how many probes run at one time if nothing else is
// configured.
const DefaultInFlight = 4096

// A Prober makes Specs ready to run.
type Prober interface {
	// Compile returns what runs the probes of a Spec. It waits for nothing. A
	// Spec that cannot be run compiles to a ProbeFunc whose result is always
	// NotRun and says why.
	Compile(Spec) ProbeFunc
}

// A ProbeFunc runs one probe: it asks the target's address and returns when the
// outcome is known, or soon after ctx is done at the latest. The deadline of ctx
// is the target's timeout, and a probe that reaches it has Failed. It is called
// from many goroutines at once, for every target with its Spec, and need not
// set At and Latency.
type ProbeFunc func(ctx context.Context, t Target) Result

// A Checker probes its targets, each at its interval.
type Checker struct {
	prober Prober
	limit  int
	// wake makes Run look at the schedule again: it has changed, or a place
	// is free that somebody may be waiting for.
	wake chan struct{}

	mu sync.Mutex
	// compiled holds the Specs of the targets.
	compiled map[Spec]ProbeFunc
	schedule *schedule
	rate     rate
	inFlight int
	// full is true if every place was taken when Run last looked, or no more
	// probes were to begin, so that whoever has become due since is waiting.
	full  bool
	stats Stats
}

// New returns a Checker without targets that runs at most inFlight probes at
// one time.
func New(p Prober, inFlight int) *Checker {
	c := &Checker{
		prober:   p,
		limit:    inFlight,
		wake:     make(chan struct{}, 1),
		schedule: newSchedule(time.Now()),
		stats:    Stats{Kinds: make(map[string]KindStats)},
	}
	c.schedule.seed = uint64(c.schedule.base.UnixNano()) // No two directors have the same.
	return c
}

// Set makes targets the whole of what is probed: the newest call wins. It keeps
// the pointers, and nobody may write to what they point to. It does not wait for
// probes, and may be called before, during and after Run, and from within a
// report. Targets that stay keep their schedule; new ones are probed
// at once. The running probe of a target that is gone is cancelled, and its
// result is not reported unless that report had already begun.
func (c *Checker) Set(targets []*Target) {
	compiled := c.compile(targets)
	c.mu.Lock()
	c.compiled = compiled
	dropped := c.schedule.set(time.Now(), targets)
	for _, e := range dropped {
		if e.cancel != nil {
			e.cancel()
		}
	}
	c.mu.Unlock()
	c.rouse()
}

// SetInFlight changes how many probes run at one time at most. Those that run
// already are not ended.
func (c *Checker) SetInFlight(n int) {
	c.mu.Lock()
	c.limit = n
	c.mu.Unlock()
	c.rouse()
}

// SetPerSecond changes how many probes begin in a second at most; zero: as many as
// are due.
func (c *Checker) SetPerSecond(n int) {
	c.mu.Lock()
	c.rate.perSecond = n
	c.mu.Unlock()
	c.rouse()
}

// Retry probes at once the targets whose last probe could not be run: something
// has changed on this machine. It waits for nothing; who calls it often makes all
// of these probes as often.
func (c *Checker) Retry() {
	c.mu.Lock()
	c.schedule.retry(time.Now())
	c.mu.Unlock()
	c.rouse()
}

// Hurry probes at once the targets of a kind, since what they ask about has changed. It
// waits for nothing.
func (c *Checker) Hurry(kind string) {
	c.mu.Lock()
	c.schedule.hurry(time.Now(), kind)
	c.mu.Unlock()
	c.rouse()
}

// compile returns the Specs of the targets, compiled. It does that without the
// lock for those that are new: thousands of them may take a while.
func (c *Checker) compile(targets []*Target) map[Spec]ProbeFunc {
	c.mu.Lock()
	known := c.compiled
	c.mu.Unlock()
	compiled := make(map[Spec]ProbeFunc, len(known))
	for _, t := range targets {
		if compiled[t.Spec] != nil {
			continue
		}
		if compiled[t.Spec] = known[t.Spec]; compiled[t.Spec] == nil {
			compiled[t.Spec] = c.prober.Compile(t.Spec)
		}
	}
	return compiled
}

// rouse makes Run look at the schedule again.
func (c *Checker) rouse() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// Run probes until ctx is done, and returns ctx's error when every probe has
// ended. It is called once.
//
// Results are passed to report as they come, those of probes that have ended
// together by one call. Calls run concurrently, and those of one target in order. A
// report may keep what it is given, and may block: its targets are not probed again
// before it returns, and their places among the probes in flight stay taken. It must
// return once ctx is done.
func (c *Checker) Run(ctx context.Context, report func([]Observation)) error {
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

// start begins one batch. It reports whether more may be due, and otherwise
// when to look again.
func (c *Checker) start(run func(*entry)) (next time.Time, more bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	waited := c.full
	for n := 0; c.inFlight < c.limit; n++ {
		if n == batch {
			return time.Time{}, true
		}
		if at := c.rate.next(now); at.After(now) && c.schedule.due(now) {
			c.full = true
			return at, false
		}
		e, due := c.schedule.start(now)
		if e == nil {
			break
		}
		c.rate.take()
		if late := now.Sub(due); waited && late > 0 {
			c.stats.Late++
			c.stats.LateSeconds += late.Seconds()
		}
		c.inFlight++
		run(e)
	}
	if c.full = c.inFlight >= c.limit; c.full {
		return time.Time{}, false
	}
	return c.schedule.deadline(), false
}

// probe runs one probe from start to end, and reports its result.
func (c *Checker) probe(ctx context.Context, e *entry, report func([]Observation)) {
	if run, own, t := c.begin(ctx, e); run != nil {
		began := time.Now()
		r := run(own, *t)
		r.At = time.Now()
		r.Latency = r.At.Sub(began)
		r = notRunIfLate(*t, r)
		if c.end(e, r) && ctx.Err() == nil {
			report([]Observation{{*t, r}})
		}
	}
	c.mu.Lock()
	c.inFlight--
	first := c.schedule.finish(e)
	wake := first || c.full
	c.mu.Unlock()
	if wake {
		c.rouse()
	}
}

// notRunIfLate turns a failure that was noticed long after its deadline into
// NotRun: a director that was stopped or had no processor time for so long
// cannot tell whether the answer came in time.
func notRunIfLate(t Target, r Result) Result {
	slack := max(t.Timeout/4, 100*time.Millisecond)
	if r.Outcome == Failed && r.Latency > t.Timeout+slack {
		r.Outcome, r.Reason = NotRun, NoProbe
		r.Detail = fmt.Sprintf("this director is overloaded or was stopped: it noticed the timeout of %v after %v",
			t.Timeout, r.Latency.Round(time.Millisecond))
	}
	return r
}

// begin returns what runs the probe of an entry, its context, whose timeout
// starts now, and its target; nil if that was removed meanwhile.
func (c *Checker) begin(ctx context.Context, e *entry) (ProbeFunc, context.Context, *Target) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e.dropped {
		return nil, nil, nil
	}
	ctx, e.cancel = context.WithTimeout(ctx, e.target.Timeout)
	return c.compiled[e.target.Spec], ctx, e.target
}

// end counts a result and reports true, unless the target was removed while it
// was probed.
func (c *Checker) end(e *entry, r Result) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	e.cancel()
	if e.dropped {
		return false
	}
	c.schedule.observe(r.At, e, r)
	c.stats.countResult(e.target.Spec.Kind(), r)
	return true
}

// Stats returns what was counted so far.
func (c *Checker) Stats() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.stats.clone()
	s.Targets = c.schedule.targets
	s.InFlight = c.inFlight
	if c.full {
		s.Waiting = c.schedule.waiting(time.Now())
	}
	return s
}
