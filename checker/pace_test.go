package checker

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// paced returns a target with an interval of 1 s, and of 100 ms while it is counted.
func paced(down time.Duration) Target {
	t := target(1)
	t.Interval, t.Timeout = time.Second, 200*time.Millisecond
	t.Pace = Pace{Fast: In(100 * time.Millisecond), Down: In(down), Rise: 2, Fall: 3}
	return t
}

// answer lets the probe that is due run for so long, and returns how long after its
// start the next one is due.
func answer(s *schedule, o Outcome, took time.Duration) time.Duration {
	started := s.deadline()
	e, _ := s.start(started)
	at := started.Add(took)
	s.observe(at, e, Result{At: at, Latency: took, Outcome: o})
	s.finish(e)
	return s.deadline().Sub(started)
}

func TestPaceIsFastWhileResultsAreCounted(t *testing.T) {
	const fast, grid = 100 * time.Millisecond, -1
	s := newSchedule(epoch)
	s.set(epoch, these(paced(5*time.Second)))
	answer(s, Passed, 0)
	answer(s, Passed, 0) // It is on its grid.
	onGrid := func(interval time.Duration) bool {
		return (s.deadline().Sub(epoch)-s.offset(s.entries[0].phase, interval))%interval == 0
	}
	for i, step := range []struct {
		what    string
		outcome Outcome
		took    time.Duration
		want    time.Duration // until the next one; grid: at most an interval, on its grid
		of      time.Duration // the grid's interval
	}{
		{"while it passes, each interval", Passed, 0, grid, time.Second},
		{"after the first failure, soon", Failed, 0, fast, 0},
		{"the time is counted from the start, not from the end", Failed, 60 * time.Millisecond, fast, 0},
		{"a pass ends the row, and all is as it was", Passed, 0, grid, time.Second},
		{"another failure", Failed, 0, fast, 0},
		{"a probe that could not be run says nothing", NotRun, 0, fast, 0},
		{"a second one", Failed, 0, fast, 0},
		{"with the third it is down, and probed as one that is down", Failed, 0, grid, 5 * time.Second},
		{"as long as it is", Failed, 0, grid, 5 * time.Second},
		{"until it passes", Passed, 0, fast, 0},
		{"a failure ends that row", Failed, 0, grid, 5 * time.Second},
		{"it passes again", Passed, 0, fast, 0},
		{"with the second pass it is up", Passed, 0, grid, time.Second},
	} {
		got := answer(s, step.outcome, step.took)
		switch {
		case step.want == grid && (got <= 0 || got > step.of || !onGrid(step.of)):
			t.Errorf("step %d (%s): the next probe comes after %v, want one on the grid of %v", i, step.what, got, step.of)
		case step.want != grid && got != step.want:
			t.Errorf("step %d (%s): the next probe comes after %v, want %v", i, step.what, got, step.want)
		}
	}
}

// A hung server takes longer than the fast interval: the next probe begins when the
// last one has ended, and no two of them run at once.
func TestPaceOfASlowProbe(t *testing.T) {
	s := newSchedule(epoch)
	s.set(epoch, these(paced(0)))
	answer(s, Passed, 0)
	answer(s, Failed, 200*time.Millisecond)
	started := s.deadline()
	if e, _ := s.start(started.Add(100 * time.Millisecond)); e == nil {
		t.Fatal("not due as soon as the last one has ended")
	}
	if e, _ := s.start(started.Add(time.Hour)); e != nil {
		t.Error("two probes of one target at once")
	}
}

// A shared target is one probe for servers that count otherwise, unless its pace
// follows what they count.
func TestPaceBelongsToTheTarget(t *testing.T) {
	for name, tt := range map[string]struct {
		a, b Pace
		want int
	}{
		"no pace":    {Pace{}, Pace{}, 1},
		"equal ones": {Pace{Fast: 100, Rise: 2, Fall: 3}, Pace{Fast: 100, Rise: 2, Fall: 3}, 1},
		"other rise": {Pace{Fast: 100, Rise: 2, Fall: 3}, Pace{Fast: 100, Rise: 1, Fall: 3}, 2},
		"other fall": {Pace{Fast: 100, Rise: 2, Fall: 3}, Pace{Fast: 100, Rise: 2, Fall: 1}, 2},
		"other down": {Pace{Down: 100, Rise: 2, Fall: 3}, Pace{Down: 200, Rise: 2, Fall: 3}, 2},
	} {
		a, b := target(1), target(1)
		a.Pace, b.Pace = tt.a, tt.b
		s := newSchedule(epoch)
		s.set(epoch, these(a, b))
		if s.targets != tt.want {
			t.Errorf("%s: %d targets, want %d", name, s.targets, tt.want)
		}
	}
}

// Servers that are down are spread over their long interval, as the others are.
func TestPaceSpreadsServersThatAreDown(t *testing.T) {
	const n, down = 1000, time.Minute
	all := targets(n)
	for _, t := range all {
		t.Pace = Pace{Down: In(down), Rise: 1, Fall: 1}
	}
	s := newSchedule(epoch)
	s.set(epoch, all)
	for range n {
		answer(s, Failed, 0)
	}
	var seconds [60]int
	for range n {
		seconds[int(s.deadline().Sub(epoch)/time.Second)%60]++
		answer(s, Failed, 0)
	}
	if most := slices.Max(seconds[:]); most > 40 {
		t.Errorf("%d of %d probes fall into one second of %v, want some 17", most, n, down)
	}
}

// Each probe starts somewhat later than its grid says, and the period does not
// drift.
func TestScheduleJitters(t *testing.T) {
	const interval = 2 * time.Second
	s := newSchedule(epoch)
	s.seed = 7
	s.set(epoch, targets(1))
	answer(s, Passed, 0)
	offset := s.offset(s.entries[0].phase, interval)
	seen := make(map[time.Duration]int)
	for i := range 1000 {
		late := s.deadline().Sub(epoch) - offset - time.Duration(i)*interval
		late = late % interval
		if late < 0 || late > interval/jitterDivisor {
			t.Fatalf("probe %d is due %v after its time, want at most %v", i, late, interval/jitterDivisor)
		}
		seen[late]++
		if next := answer(s, Passed, 0); next > interval+interval/jitterDivisor {
			t.Fatalf("probe %d comes %v after the last one", i+1, next)
		}
	}
	if len(seen) < 6 {
		t.Errorf("the probes came at %d different times after the grid's, want 7: %v", len(seen), seen)
	}
	if got := s.deadline().Sub(epoch); got < 1000*interval || got > 1002*interval {
		t.Errorf("after 1000 probes the next is due at %v, want one interval for each", got)
	}
}

// The seeds of two directors differ, and so do the times at which they probe one
// server.
func TestScheduleJitterDependsOnTheSeed(t *testing.T) {
	times := func(seed uint64) string {
		s := newSchedule(epoch)
		s.seed = seed
		s.set(epoch, targets(1))
		var all []time.Duration
		for range 20 {
			answer(s, Passed, 0)
			all = append(all, s.deadline().Sub(epoch))
		}
		return fmt.Sprint(all)
	}
	if one, again := times(1), times(1); one != again || one == times(2) {
		t.Error("the times of the probes are not a function of the seed")
	}
}

func TestRateBoundsProbesInASecond(t *testing.T) {
	for _, perSecond := range []int{1, 7, 100, 2000, 50_000} {
		r := rate{perSecond: perSecond}
		now, begun := epoch, make([]time.Time, 0, 3*perSecond)
		for now.Before(epoch.Add(3 * time.Second)) {
			if at := r.next(now); at.After(now) {
				now = at
				continue
			}
			r.take()
			begun = append(begun, now)
		}
		most := 1 + perSecond + perSecond/50 // two ticks' worth may begin at once
		for i := most; i < len(begun); i++ {
			if begun[i].Sub(begun[i-most]) < time.Second {
				t.Errorf("%d a second: more than %d began within %v", perSecond, most, begun[i].Sub(begun[i-most]))
				break
			}
		}
		if n := len(begun); n < 3*perSecond-1 {
			t.Errorf("%d a second: %d began in 3 s", perSecond, n)
		}
	}
	if r := (rate{}); r.next(epoch) != epoch {
		t.Error("without a bound, a probe waits")
	}
}

// trial lets a server fail at some time: from then on its probes fail after they
// have taken so long. It returns how long after that the server was down, and how
// long after the start of the first probe that failed.
func trial(rng *rand.Rand, took time.Duration) (sinceFailure, sinceProbe time.Duration) {
	s := newSchedule(epoch)
	s.seed = rng.Uint64() | 1
	to := paced(0)
	to.Port = uint16(rng.UintN(1 << 16)) // another phase
	s.set(epoch, these(to))
	failure := epoch.Add(5*time.Second + time.Duration(rng.Int64N(int64(time.Second))))
	h := NewHealth(Unknown)
	var first time.Time
	for {
		started := s.deadline()
		e, _ := s.start(started)
		r := Result{Outcome: Passed, Latency: time.Millisecond}
		if !started.Before(failure) {
			r = Result{Outcome: Failed, Latency: max(took, time.Millisecond), Reason: TimedOut}
			if took == 0 {
				r.Reason = Refused
			}
			if first.IsZero() {
				first = started
			}
		}
		r.At = started.Add(r.Latency)
		if h.Observe(r.At, r, Rules{Rise: 2, Fall: 3}) && h.State() == Down {
			return r.At.Sub(failure), r.At.Sub(first)
		}
		s.observe(r.At, e, r)
		s.finish(e)
	}
}

// "interval = 1s, fast_interval = 100ms, fall = 3: when is a dead server out?"
func TestPaceFindsADeadServerInTime(t *testing.T) {
	for _, tt := range []struct {
		name                    string
		took                    time.Duration
		median, p99, sinceProbe time.Duration
	}{
		// 50 ms less than what is wanted of the kernel's table.
		{"one that refuses", 0, 750 * time.Millisecond, 1250 * time.Millisecond, 250 * time.Millisecond},
		{"one that hangs", 200 * time.Millisecond, 1150 * time.Millisecond, 1850 * time.Millisecond, 700 * time.Millisecond},
	} {
		rng := rand.New(rand.NewPCG(1, 2))
		var all []time.Duration
		for range 2000 {
			since, sinceProbe := trial(rng, tt.took)
			if sinceProbe > tt.sinceProbe {
				t.Fatalf("%s is down %v after its first failure, want at most %v", tt.name, sinceProbe, tt.sinceProbe)
			}
			all = append(all, since)
		}
		slices.Sort(all)
		median, p99 := all[len(all)/2], all[len(all)*99/100]
		t.Logf("%s is down after %v (median), %v (p99)", tt.name, median, p99)
		if median > tt.median || p99 > tt.p99 {
			t.Errorf("%s is down after %v (median), %v (p99), want at most %v and %v", tt.name, median, p99, tt.median, tt.p99)
		}
	}
}

func TestPaceOfAnEntry(t *testing.T) {
	const interval, fast, down = 2 * time.Second, 100 * time.Millisecond, 5 * time.Second
	whole := Pace{Fast: In(fast), Down: In(down), Rise: 2, Fall: 3}
	tests := []struct {
		name  string
		pace  Pace
		tally tally
		want  time.Duration
	}{
		{"a target begins at its interval", whole, tally{state: Up}, interval},
		{"a failure of one that is up is counted", whole, tally{state: Up, row: 1}, fast},
		{"a pass of one that is up is not", whole, tally{state: Up, row: 1, passed: true}, interval},
		{"a pass of one that is down is counted", whole, tally{state: Down, row: 1, passed: true}, fast},
		{"a failure of one that is down is not", whole, tally{state: Down, row: 1}, down},
		{"without a fast pace a failure changes nothing", Pace{Down: In(down)}, tally{state: Up, row: 1}, interval},
		{"without a pace for it one that is down keeps its interval", Pace{Fast: In(fast)}, tally{state: Down, row: 1}, interval},
		{"without a fast pace a pass does not end that of one that is down", Pace{Down: In(down)}, tally{state: Down, row: 1, passed: true}, down},
		{"no pace is faster than the least interval", Pace{Fast: 1}, tally{state: Up, row: 1}, minInterval},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := &entry{target: new(target(1)), tally: tt.tally}
			e.target.Pace = tt.pace
			if got := e.interval(); got != tt.want {
				t.Errorf("the interval is %v, want %v", got, tt.want)
			}
		})
	}
}

// The turn that comes after one that a quick retry has replaced is as late as it would
// be without the retry.
func TestScheduleJitterAfterAQuickRetry(t *testing.T) {
	const interval = 2 * time.Second
	s := newSchedule(epoch)
	e := &entry{target: new(target(1)), phase: phase(target(1))}
	for s.seed = 1; s.seed <= 20; s.seed++ {
		for round := range 20 {
			grid := spread(e.phase, interval) + time.Duration(round)*interval
			e.refusals = 0
			want := s.next(e, grid)
			e.refusals = 1
			if got := s.next(e, grid-1); got != want {
				t.Errorf("seed %d, round %d: the turn is due at %v after a quick retry, want %v", s.seed, round, got, want)
			}
		}
	}
}

// "A service that nobody uses at night need not be probed every second."
func TestPaceOfWhatNobodyNeeds(t *testing.T) {
	quiet := target(1)
	quiet.Interval = 2 * time.Second
	quiet.Pace = Pace{Idle: In(time.Minute), Rise: 2, Fall: 3}
	for _, tt := range []struct {
		name    string
		down    time.Duration
		fast    time.Duration
		idle    bool
		results string
		want    time.Duration
	}{
		{"it is needed", 0, 0, false, "ppp", 2 * time.Second},
		{"nobody needs it", 0, 0, true, "ppp", time.Minute},
		{"one result speaks against it", 0, 0, true, "pppf", 2 * time.Second},
		{"and with a fast pace", 0, 100 * time.Millisecond, true, "pppf", 100 * time.Millisecond},
		{"it was a single one", 0, 0, true, "pppfp", time.Minute},
		{"it is down", 0, 0, true, "fff", time.Minute},
		{"it is down, and was asked more often", 10 * time.Second, 0, true, "fff", time.Minute},
		{"it is down, and was asked less often", 2 * time.Minute, 0, true, "fff", 2 * time.Minute},
		{"it may be up again", 0, 0, true, "fffp", 2 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			one := quiet
			one.Pace.Down, one.Pace.Fast = In(tt.down), In(tt.fast)
			s := newSchedule(epoch)
			s.set(epoch, []*Target{&one})
			if tt.idle {
				s.setIdle(epoch, []*Target{&one})
			}
			for _, r := range tt.results {
				answer(s, map[rune]Outcome{'p': Passed, 'f': Failed}[r], time.Millisecond)
			}
			if got := s.entries[0].interval(); got != tt.want {
				t.Errorf("the interval is %v, want %v", got, tt.want)
			}
		})
	}
}

// Targets that are not checked any more, or not yet, are passed over among those that nobody needs.
func TestIdleTargetsThatAreNotKnown(t *testing.T) {
	all := targets(4)
	s := newSchedule(epoch)
	s.set(epoch, []*Target{all[1], all[3]})
	s.setIdle(epoch, []*Target{all[0], all[2], all[3]})
	for _, e := range s.entries {
		if want := *e.target == *all[3]; e.idle != want {
			t.Errorf("%v is idle: %v", e.target.Addr, e.idle)
		}
	}
}

// When clients come, what nobody needed is asked as soon as ever, and not a minute later.
func TestWhatIsNeededAgainIsAskedSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := targets(3)
		for _, one := range all {
			one.Interval, one.Pace = 2*time.Second, Pace{Idle: In(10 * time.Minute), Rise: 2, Fall: 3}
		}
		l := newLog()
		c := New(answers(0), DefaultInFlight)
		c.Set(all)
		run(t, c, l.report)
		passes(10 * time.Second)
		c.SetIdle(all[:2])
		passes(20 * time.Minute)
		count := func(target *Target) (n int) {
			l.mu.Lock()
			defer l.mu.Unlock()
			n = len(l.times[*target])
			l.times[*target] = nil
			return n
		}
		if a, b := count(all[0]), count(all[2]); a < 5 || a > 9 || b < 600 {
			t.Errorf("%d probes of what nobody needs in 20 minutes, %d of another", a, b)
		}
		c.SetIdle(all[1:2])
		passes(4 * time.Second)
		if n := count(all[0]); n < 2 {
			t.Errorf("%d probes in two intervals after it was needed again", n)
		}
		c.Set(all) // What was said of it stays.
		count(all[1])
		passes(time.Minute)
		if n := count(all[1]); n > 1 {
			t.Errorf("%d probes in a minute after a reload", n)
		}
	})
}
