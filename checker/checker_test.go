package checker

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// A proberFunc is a Prober that behaves as a test says.
type proberFunc func(ctx context.Context, t Target) Result

func (f proberFunc) Compile(Spec) ProbeFunc { return ProbeFunc(f) }

// answers returns a prober whose servers take so long to answer.
//
// Servers that answer at once have no timer: channel timers of one bubble that
// are due already, in several goroutines, crash the race detector of Go 1.26,
// whose context for them is the bubble's (see golang.org/issue/78156).
func answers(latency time.Duration) proberFunc {
	return func(ctx context.Context, t Target) Result {
		if latency == 0 {
			return Result{Outcome: Passed}
		}
		select {
		case <-time.After(latency):
			return Result{Outcome: Passed}
		case <-ctx.Done():
			return Result{Outcome: Failed, Detail: "timeout"}
		}
	}
}

// A log records what was reported, as a checker's owner would see it.
type log struct {
	began time.Time
	mu    sync.Mutex
	lines []string
	times map[Target][]time.Duration
}

func newLog() *log { return &log{began: time.Now(), times: make(map[Target][]time.Duration)} }

func (l *log) report(results []Observation) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, o := range results {
		l.note(*o.Target, o.Result)
	}
}

func (l *log) note(t Target, r Result) {
	at := r.At.Sub(l.began)
	l.times[t] = append(l.times[t], at)
	l.lines = append(l.lines, fmt.Sprintf("%v %v %v after %v %s", at, t.Addr, r.Outcome, r.Latency, r.Detail))
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.lines, "\n")
}

// run runs a checker in a bubble until the test ends, and then proves that it
// ends with nothing left behind: a goroutine that stays fails the bubble. Its probes
// start on their grid, without jitter.
func run(t *testing.T, c *Checker, report func([]Observation)) {
	c.schedule.seed = 0
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx, report) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("Run returned %v, want its context's error", err)
		}
	})
}

// passes lets simulated time pass.
func passes(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func TestCheckerTranscript(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLog()
		c := New(answers(30*time.Millisecond), DefaultInFlight)
		c.Set(these(target(1)))
		run(t, c, l.report)
		passes(6 * time.Second)
		want := strings.Join([]string{
			"30ms 10.0.0.1 passed after 30ms ", // the first at once
			"1.53s 10.0.0.1 passed after 30ms ",
			"3.53s 10.0.0.1 passed after 30ms ", // from start to start
			"5.53s 10.0.0.1 passed after 30ms ",
		}, "\n")
		if diff := cmp.Diff(want, l.String()); diff != "" {
			t.Errorf("reports (-want +got):\n%s", diff)
		}
	})
}

// A server that is slow and alive passes, and one that is silent is asked by one
// probe at a time.
func TestATimeoutMayBeLongerThanTheInterval(t *testing.T) {
	for _, tt := range []struct {
		answers, first, between time.Duration
		outcome                 Outcome
	}{
		{3 * time.Second, 3 * time.Second, 3 * time.Second, Passed},
		{time.Hour, 5 * time.Second, 5 * time.Second, Failed},
		{time.Millisecond, time.Millisecond, time.Second, Passed},
	} {
		synctest.Test(t, func(t *testing.T) {
			l := newLog()
			c := New(answers(tt.answers), DefaultInFlight)
			slow := Target{Spec: SpecOf(TCP{}), Addr: target(1).Addr, Interval: time.Second, Timeout: 5 * time.Second}
			c.Set([]*Target{&slow})
			run(t, c, func(results []Observation) {
				if results[0].Result.Outcome == tt.outcome {
					l.report(results)
				}
			})
			passes(30 * time.Second)
			l.mu.Lock()
			defer l.mu.Unlock()
			times := l.times[slow]
			if len(times) < 5 || times[0] != tt.first {
				t.Fatalf("answers after %v: %v at %v, want the first after %v", tt.answers, tt.outcome, times, tt.first)
			}
			for i := 2; i < len(times); i++ {
				if gap := times[i] - times[i-1]; gap != tt.between {
					t.Errorf("answers after %v: %v between two results, want %v", tt.answers, gap, tt.between)
				}
			}
		})
	}
}

// A director that gets its address in the servers' network asks at once those it
// could not ask, and not the others.
func TestWhatCouldNotBeRunIsAskedWhenTheMachineChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLog()
		var address atomic.Bool
		c := New(proberFunc(func(_ context.Context, to Target) Result {
			had := address.Load()
			if to.Port == 8080 {
				time.Sleep(100 * time.Millisecond) // the machine changes while this one is in flight
			}
			if had || to.Addr == target(3).Addr {
				return Result{Outcome: Passed}
			}
			return Result{Outcome: NotRun, Detail: "no address"}
		}), DefaultInFlight)
		queued, flying, fine := target(1), target(2), target(3)
		flying.Port = 8080
		for _, to := range []*Target{&queued, &flying, &fine} {
			to.Interval = time.Hour
		}
		c.Set([]*Target{&queued, &flying, &fine})
		run(t, c, l.report)
		passes(50 * time.Millisecond)
		address.Store(true)
		c.Retry()
		passes(time.Second)
		c.Retry() // all have passed, and stay as they are
		passes(time.Second)
		l.mu.Lock()
		defer l.mu.Unlock()
		for _, want := range []struct {
			target Target
			times  []time.Duration
		}{
			{queued, []time.Duration{0, 50 * time.Millisecond}},
			{flying, []time.Duration{100 * time.Millisecond, 200 * time.Millisecond}},
			{fine, []time.Duration{0}},
		} {
			if diff := cmp.Diff(want.times, l.times[want.target]); diff != "" {
				t.Errorf("results of %v (-want +got):\n%s", want.target.Addr, diff)
			}
		}
	})
}

// What asks about something that has just changed is probed at once, whatever its result
// was, and again if it was just looking.
func TestWhatHasChangedIsAskedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLog()
		c := New(proberFunc(func(_ context.Context, to Target) Result {
			if to.Port == 8080 {
				time.Sleep(100 * time.Millisecond)
			}
			return Result{Outcome: Passed}
		}), DefaultInFlight)
		queued, flying, other := target(1), target(2), target(3)
		flying.Port = 8080
		queued.Spec, flying.Spec = SpecOf(Process{}), SpecOf(Process{})
		for _, to := range []*Target{&queued, &flying, &other} {
			to.Interval = time.Hour
		}
		c.Set([]*Target{&queued, &flying, &other})
		run(t, c, l.report)
		passes(50 * time.Millisecond)
		c.Hurry("process")
		passes(time.Second)
		l.mu.Lock()
		defer l.mu.Unlock()
		for want, times := range map[Target][]time.Duration{
			queued: {0, 50 * time.Millisecond}, flying: {100 * time.Millisecond, 200 * time.Millisecond}, other: {0},
		} {
			if diff := cmp.Diff(times, l.times[want]); diff != "" {
				t.Errorf("results of %v (-want +got):\n%s", want.Addr, diff)
			}
		}
	})
}

func TestStatsCountResults(t *testing.T) {
	s := Stats{Kinds: make(map[string]KindStats)}
	for _, r := range []Result{
		{Outcome: Passed, Latency: 0},
		{Outcome: Passed, Latency: 500 * time.Microsecond}, // a bound belongs to its bucket
		{Outcome: Failed, Latency: 501 * time.Microsecond},
		{Outcome: NotRun, Latency: 10 * time.Second},
		{Outcome: Failed, Latency: 11 * time.Second},
	} {
		s.countResult("tcp", r)
	}
	before := s.clone()
	s.countResult("tcp", Result{Outcome: Passed})
	s.countResult("http", Result{Outcome: Passed})
	want := map[string]KindStats{"tcp": {
		Passed: 2, Failed: 2, NotRun: 1, Seconds: 21.001001,
		Buckets: []uint64{2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1},
	}}
	if diff := cmp.Diff(want, before.Kinds, cmpopts.EquateApprox(0, 1e-9)); diff != "" {
		t.Errorf("counted (-want +got):\n%s", diff)
	}
	if s.Kinds["tcp"].Passed != 3 || s.Kinds["tcp"].Buckets[0] != 3 || len(s.Kinds) != 2 {
		t.Errorf("then counted %+v, want one more of tcp and one of http", s.Kinds)
	}
}

func TestCheckerRemovedTargetIsCancelledAndSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLog()
		cancelled := 0
		c := New(proberFunc(func(ctx context.Context, t Target) Result {
			<-ctx.Done()
			if errors.Is(ctx.Err(), context.Canceled) {
				cancelled++
			}
			return Result{Outcome: Failed}
		}), DefaultInFlight)
		c.Set(targets(1))
		run(t, c, l.report)
		passes(100 * time.Millisecond)
		c.Set(nil)
		synctest.Wait()
		if s := c.Stats(); cancelled != 1 || s.InFlight != 0 || s.Targets != 0 {
			t.Errorf("%d probes were cancelled, %d still run, want 1 and 0", cancelled, s.InFlight)
		}
		passes(time.Minute)
		if l.String() != "" || len(c.Stats().Kinds) != 0 {
			t.Errorf("reported after removal: %s", l)
		}
	})
}

func TestCheckerTargetThatComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLog()
		flying := 0
		c := New(proberFunc(func(ctx context.Context, target Target) Result {
			if flying++; flying > 1 {
				t.Error("two probes of one target in flight")
			}
			<-ctx.Done()
			time.Sleep(200 * time.Millisecond) // slow to notice
			flying--
			return Result{Outcome: Failed, Detail: ctx.Err().Error()}
		}), DefaultInFlight)
		c.Set(targets(1))
		run(t, c, l.report)
		passes(100 * time.Millisecond)
		c.Set(nil)
		c.Set(targets(1))
		passes(time.Second)
		if l.String() != "" {
			t.Errorf("the result of its earlier life was reported: %s", l)
		}
		passes(500 * time.Millisecond)
		if want := "1.5s 10.0.0.0 failed after 1.2s context deadline exceeded"; l.String() != want {
			t.Errorf("reported %q, want %q", l, want)
		}
	})
}

func TestCheckerBlockedReportHoldsUpItsTargetOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLog()
		hold := make(chan struct{})
		c := New(answers(time.Millisecond), DefaultInFlight)
		c.Set(targets(2))
		run(t, c, func(results []Observation) {
			if *results[0].Target == target(1) {
				<-hold
			}
			l.report(results)
		})
		passes(20 * time.Second)
		l.mu.Lock()
		if got := len(l.times[target(0)]); got < 10 {
			t.Errorf("the other target had %d results in 20 s, want 10", got)
		}
		if got := len(l.times[target(1)]); got != 0 {
			t.Errorf("the blocked target had %d results", got)
		}
		l.mu.Unlock()
		close(hold)
		synctest.Wait()
		passes(10 * time.Second)
		l.mu.Lock()
		defer l.mu.Unlock()
		if got := len(l.times[target(1)]); got < 5 || got > 7 {
			t.Errorf("afterwards it had %d results in 10 s, want about 6", got)
		}
	})
}

func TestCheckerSetFromWithinAReport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLog()
		c := New(answers(time.Millisecond), DefaultInFlight)
		c.Set(targets(1))
		run(t, c, func(results []Observation) {
			l.report(results)
			c.Set(these(target(7)))
		})
		passes(time.Second)
		want := "1ms 10.0.0.0 passed after 1ms \n2ms 10.0.0.7 passed after 1ms "
		if diff := cmp.Diff(want, strings.Join(l.lines[:2], "\n")); diff != "" {
			t.Errorf("reports (-want +got):\n%s", diff)
		}
	})
}

func TestCheckerTargetAtRestHasNoGoroutine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		before := runtime.NumGoroutine()
		l := newLog()
		c := New(answers(0), DefaultInFlight)
		all := targets(1000)
		for i := range all {
			all[i].Interval = time.Hour
		}
		c.Set(all)
		run(t, c, l.report)
		passes(time.Second)
		if got := len(l.times); got != len(all) {
			t.Fatalf("%d of %d targets had a result", got, len(all))
		}
		// Those that ended are counted until they have left the processor.
		for range 1000 {
			if runtime.NumGoroutine()-before <= 5 {
				return
			}
			runtime.Gosched()
		}
		t.Errorf("%d goroutines for %d targets at rest", runtime.NumGoroutine()-before, len(all))
	})
}

func TestCheckerEndsWithProbesInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLog()
		c := New(answers(time.Hour), DefaultInFlight)
		c.Set(targets(100))
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		if err := c.Run(ctx, l.report); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Run returned %v", err)
		}
		if l.String() != "" {
			t.Errorf("reported at the end: %s", l)
		}
	})
}

// A compiler counts how often it compiles each Spec.
type compiler map[Spec]int

func (c compiler) Compile(s Spec) ProbeFunc {
	c[s]++
	return func(context.Context, Target) Result { return Result{Outcome: Passed} }
}

func TestCheckerCompilesEachSpecOnce(t *testing.T) {
	compiled := make(compiler)
	c := New(compiled, DefaultInFlight)
	page := SpecOf(HTTP{Path: "/a"})
	all := targets(100)
	for i := range all[:50] {
		all[i].Spec = page
	}
	for range 3 {
		c.Set(all)
	}
	want := compiler{"tcp": 1, page: 1}
	if diff := cmp.Diff(want, compiled); diff != "" {
		t.Errorf("compiled (-want +got):\n%s", diff)
	}
	c.Set(all[50:])
	if len(c.compiled) != 1 {
		t.Errorf("%d Specs are kept, want 1: no target has the other one any more", len(c.compiled))
	}
	c.Set(all)
	if want[page] = 2; !cmp.Equal(want, compiled) {
		t.Errorf("compiled %v, want %v", compiled, want)
	}
}

func TestCheckerKeepsCadenceAcrossSets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLog()
		c := New(answers(0), DefaultInFlight)
		run(t, c, l.report)
		for i := range 100 { // a reload every 100 ms, always with target 1
			c.Set(these(target(1), target(100+i)))
			passes(100 * time.Millisecond)
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		want := []time.Duration{0, 1500, 3500, 5500, 7500, 9500}
		for i := range want {
			want[i] *= time.Millisecond
		}
		if diff := cmp.Diff(want, l.times[target(1)]); diff != "" {
			t.Errorf("probes of the target that stays (-want +got):\n%s", diff)
		}
	})
}

// More targets may be due than there is processor time for, and then starting
// them does not end by itself.
func TestStartingEndsWithTheContext(t *testing.T) {
	c := New(answers(0), DefaultInFlight)
	var all []*Target
	for i := range 10 * batch {
		all = append(all, &Target{Spec: SpecOf(TCP{}), Port: uint16(i), Interval: time.Second, Timeout: time.Second})
	}
	c.Set(all)
	ctx, cancel := context.WithCancel(t.Context())
	started := 0
	c.startAll(ctx, func(Question) {
		started++
		cancel()
	})
	if started == 0 || started > batch {
		t.Errorf("%d probes started, want the batch in which the context ended (1 to %d)", started, batch)
	}
}

// BenchmarkSet10000 sets 10,000 targets, as a start and as a reload that
// changes none of them.
func BenchmarkSet10000(b *testing.B) {
	all := targets(10_000)
	for i := range all {
		all[i].Spec = SpecOf(HTTP{Path: fmt.Sprint("/", i/10)})
	}
	b.Run("new", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			New(answers(0), DefaultInFlight).Set(all)
		}
	})
	b.Run("same", func(b *testing.B) {
		c := New(answers(0), DefaultInFlight)
		b.ReportAllocs()
		for b.Loop() {
			c.Set(all)
		}
	})
}
