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

// observations is room for those that are reported together.
var observations = sync.Pool{New: func() any { return new([askAtOnce]Observation) }}

// askAtOnce is how many questions an Engine is asked together at most.
const askAtOnce = 64

// A compiled Spec is what runs its probes.
type compiled struct {
	run  ProbeFunc
	asks bool // the Engine is asked first
}

// A Checker probes its targets, each at its interval.
type Checker struct {
	prober Prober
	engine Engine // nil: the prober is none
	limit  int
	// wake makes Run look at the schedule again: it has changed, or a place
	// is free that somebody may be waiting for.
	wake chan struct{}

	mu sync.Mutex
	// compiled holds the Specs of the targets.
	compiled map[Spec]compiled
	schedule *schedule
	rate     rate
	inFlight int
	// lost is how many probes were given up that have not ended. They take no places.
	lost int
	// together is room for the Engine's questions, of Run alone.
	together [askAtOnce]Question
	// full is true if every place was taken when Run last looked, or no more
	// probes were to begin, so that whoever has become due since is waiting.
	full  bool
	stats Stats
}

// New returns a Checker without targets that runs at most inFlight probes at
// one time. If p is an Engine, it is used as such.
func New(p Prober, inFlight int) *Checker {
	engine, _ := p.(Engine)
	c := &Checker{
		engine:   engine,
		prober:   p,
		limit:    inFlight,
		wake:     make(chan struct{}, 1),
		schedule: newSchedule(time.Now()),
		stats:    Stats{Kinds: make(map[string]KindStats), Delays: make([]uint64, len(DelayBounds)+1)},
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
	all := c.compile(targets)
	c.mu.Lock()
	c.compiled = all
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
	if c.engine != nil {
		c.engine.Forget()
	}
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

// Suspect probes targets at once, and a few times more soon after: something else than
// their results speaks against them. It waits for nothing.
func (c *Checker) Suspect(targets []Target) {
	c.mu.Lock()
	c.schedule.suspect(time.Now(), targets)
	c.mu.Unlock()
	c.rouse()
}

// SetIdle makes these the targets that nobody needs now, whose Pace may say that they are
// asked less often: the newest call wins. Targets that are set later are none of them. It
// waits for nothing.
func (c *Checker) SetIdle(targets []*Target) {
	c.mu.Lock()
	c.schedule.setIdle(time.Now(), targets)
	c.mu.Unlock()
	c.rouse()
}

// Restart gives up the probes of targets that are in flight, and probes these targets at once:
// their probes have not ended long after their deadline. What they still find is discarded. A
// target may have two such probes, and all together as many as may be in flight; beyond
// that, they are waited for. It waits for nothing.
func (c *Checker) Restart(targets []Target) {
	c.mu.Lock()
	now := time.Now()
	for _, t := range targets {
		if c.lost >= c.limit {
			break
		}
		if c.schedule.giveUp(now, t) != nil {
			c.lost++
			c.inFlight--
			c.stats.Restarted++
		}
	}
	c.mu.Unlock()
	c.rouse()
}

// compile returns the Specs of the targets, compiled. It does that without the
// lock for those that are new: thousands of them may take a while.
func (c *Checker) compile(targets []*Target) map[Spec]compiled {
	c.mu.Lock()
	known := c.compiled
	c.mu.Unlock()
	all := make(map[Spec]compiled, len(known))
	for _, t := range targets {
		if all[t.Spec].run != nil {
			continue
		}
		one := known[t.Spec]
		if one.run == nil {
			one.run = c.prober.Compile(t.Spec)
			one.asks = c.engine != nil && c.engine.Asks(t.Spec)
		}
		all[t.Spec] = one
	}
	return all
}

// rouse makes Run look at the schedule again.
func (c *Checker) rouse() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// lastPatience is for how long the end of the probes is waited for that were cancelled.
const lastPatience = 5 * time.Second

// Run probes until ctx is done, and returns ctx's error when every probe has
// ended, or has not for five seconds. It is called once.
//
// Results are passed to report as they come, those of probes that have ended
// together by one call. Calls run concurrently, and those of one target in order. A
// report must not keep the slice. It may block: its targets are not probed again
// before it returns, and their places among the probes in flight stay taken. It must
// return once ctx is done.
func (c *Checker) Run(ctx context.Context, report func([]Observation)) error {
	var probes sync.WaitGroup
	defer wait(&probes, lastPatience)
	run := func(q Question) {
		probes.Go(func() { c.probe(ctx, q, report) })
	}
	if c.engine != nil {
		c.engine.Begin(func(answers []Answer) { c.answered(ctx, answers, report, run) })
		defer c.engine.End()
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-timer.C:
		case <-c.wake:
		}
		next := c.startAll(ctx, run)
		timer.Stop()
		if !next.IsZero() {
			timer.Reset(time.Until(next))
		}
	}
}

// wait waits until all of a group have ended, but no longer than that.
func wait(group *sync.WaitGroup, patience time.Duration) {
	ended := make(chan struct{})
	go func() {
		group.Wait()
		close(ended)
	}()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-ended:
	case <-timer.C:
	}
}

// batch is how many probes begin before those in flight get a turn, beside the
// Engine's.
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
func (c *Checker) startAll(ctx context.Context, run func(Question)) (next time.Time) {
	for ctx.Err() == nil {
		next, more, together := c.start(run)
		if len(together) > 0 {
			for _, q := range c.engine.Ask(together) {
				run(q)
			}
		}
		if !more {
			return next
		}
		runtime.Gosched()
	}
	return time.Time{}
}

// start begins one batch, and returns those probes of it that the Engine is to be
// asked. It reports whether more may be due, and otherwise when to look again.
func (c *Checker) start(run func(Question)) (next time.Time, more bool, together []Question) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	waited := c.full
	together = c.together[:0]
	for alone := 0; c.inFlight < c.limit; {
		if alone == batch || len(together) == askAtOnce {
			return time.Time{}, true, together
		}
		if at := c.rate.next(now); at.After(now) && c.schedule.due(now) {
			c.full = true
			return at, false, together
		}
		e, due := c.schedule.start(now)
		if e == nil {
			break
		}
		c.rate.take()
		late := now.Sub(due)
		c.stats.countDelay(late)
		if waited && late > 0 {
			c.stats.Late++
			c.stats.LateSeconds += late.Seconds()
		}
		c.inFlight++
		if q, ok := c.question(now, e); ok {
			together = append(together, q)
		} else {
			alone++
			run(Question{entry: e, life: e.life})
		}
	}
	if c.full = c.inFlight >= c.limit; c.full {
		return time.Time{}, false, together
	}
	return c.schedule.deadline(), false, together
}

// probe runs one probe from start to end, or from where the Engine has left it, and
// reports its result.
func (c *Checker) probe(ctx context.Context, q Question, report func([]Observation)) {
	left := !q.Began.IsZero()
	if !left {
		q.Began = time.Now()
	}
	if run, own, t := c.begin(ctx, q); run != nil {
		r := run(own, *t)
		r.At = time.Now()
		r.Latency = r.At.Sub(q.Began)
		r, wanted := c.end(q, notRunIfLate(*t, r), left)
		if wanted && ctx.Err() == nil {
			report([]Observation{{t, r}})
		}
	}
	c.mu.Lock()
	wake := c.finish(q)
	c.mu.Unlock()
	if wake {
		c.rouse()
	}
}

// finish puts the target of a probe that has ended back into the schedule, and reports
// whether Run is to look at it.
func (c *Checker) finish(q Question) (wake bool) {
	if q.lost() {
		q.entry.lost--
		c.lost--
		return false
	}
	c.inFlight--
	return c.schedule.finish(q.entry) || c.full
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

// begin returns what runs a probe, its context, and its target; nil if that was
// removed meanwhile.
func (c *Checker) begin(ctx context.Context, q Question) (ProbeFunc, context.Context, *Target) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := q.entry
	if e.dropped || q.lost() {
		return nil, nil, nil
	}
	ctx, e.cancel = context.WithDeadline(ctx, q.Began.Add(e.target.Timeout))
	return c.compiled[e.target.Spec].run, ctx, e.target
}

// end is take for a probe that ran alone; left: the Engine had left it undecided.
func (c *Checker) end(q Question, r Result, left bool) (result Result, wanted bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if q.lost() {
		return r, false
	}
	q.entry.cancel()
	if left {
		q.entry.doubts.add(r)
	}
	return c.take(q, r)
}

// take counts a result and returns what follows from it; wanted is false if the target was
// removed while it was probed, or the probe given up.
func (c *Checker) take(q Question, r Result) (result Result, wanted bool) {
	e := q.entry
	if e.dropped || q.lost() {
		return r, false
	}
	e.concluded = true
	r = c.schedule.conclude(e, r)
	c.schedule.observe(r.At, e, r)
	c.stats.countResult(e.target.Spec.Kind(), r)
	return r, true
}

// question returns the probe that begins now as one of the Engine's; ok is false if it
// is none. Of a target that was silent, the Engine has nothing to expect.
func (c *Checker) question(now time.Time, e *entry) (q Question, ok bool) {
	if c.engine == nil || !c.compiled[e.target.Spec].asks || e.silent || !e.doubts.trust() {
		return Question{}, false
	}
	return Question{Target: e.target, Began: now, Note: &e.note, entry: e, life: e.life}, true
}

// answered takes answers, reports what they decide, and has undecided probes go on
// alone.
func (c *Checker) answered(ctx context.Context, answers []Answer, report func([]Observation), goOn func(Question)) {
	room := observations.Get().(*[askAtOnce]Observation)
	defer observations.Put(room)
	results := room[:0]
	now := time.Now()
	c.mu.Lock()
	for i := range answers {
		a := &answers[i]
		if a.Result.Outcome == 0 {
			continue
		}
		a.Result.At, a.Result.Latency = now, now.Sub(a.Began)
		a.Result = notRunIfLate(*a.Target, a.Result)
		if a.lost() {
			continue
		}
		a.entry.doubts = 0
		if r, wanted := c.take(a.Question, a.Result); wanted {
			results = append(results, Observation{a.Target, r})
		}
	}
	c.mu.Unlock()
	if len(results) > 0 && ctx.Err() == nil {
		report(results)
	}
	for i := range answers {
		if answers[i].Result.Outcome == 0 {
			goOn(answers[i].Question)
		}
	}
	c.ended(answers)
}

// ended puts the targets whose probes were decided back into the schedule.
func (c *Checker) ended(answers []Answer) {
	c.mu.Lock()
	wake := false
	for i := range answers {
		if answers[i].Result.Outcome != 0 {
			wake = c.finish(answers[i].Question) || wake
		}
	}
	c.mu.Unlock()
	if wake {
		c.rouse()
	}
}

// Stats returns what was counted so far.
func (c *Checker) Stats() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.stats.clone()
	s.Targets = c.schedule.targets
	s.InFlight, s.Lost = c.inFlight, c.lost
	s.Bypassed = c.schedule.bypassed()
	if c.engine != nil {
		if err := c.engine.Unusable(); err != nil {
			s.Unusable = err.Error()
		}
	}
	if c.full {
		s.Waiting = c.schedule.waiting(time.Now())
	}
	return s
}
