package checker

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestCheckerHungServersDelayNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// Twice as many goroutines over the run, and the race detector itself
		// failed in one run of twenty (a CHECK of its own in tsan_rtl.cpp).
		const hung, healthy = 2000, 200
		l := newLog()
		c := New(proberFunc(func(ctx context.Context, t Target) Result {
			if t.Addr.As4()[1] == 0 {
				return answers(time.Millisecond)(ctx, t)
			}
			<-ctx.Done()
			return Result{Outcome: Failed}
		}), DefaultInFlight)
		all := targets(healthy)
		for i := range hung {
			all = append(all, new(target(1<<16+i)))
		}
		c.Set(all)
		run(t, c, l.report)
		passes(5 * time.Second)
		l.mu.Lock()
		defer l.mu.Unlock()
		for _, want := range all {
			times := l.times[*want]
			if len(times) < 3 {
				t.Fatalf("%v was probed %d times in 5 s", want.Addr, len(times))
			}
			// The first gap ends where the target's grid begins, and a hung
			// first probe may reach beyond that.
			for i := 2; i < len(times); i++ {
				if gap := times[i] - times[i-1]; gap > want.Interval {
					t.Errorf("%v: %v between two results, want at most %v", want.Addr, gap, want.Interval)
				}
			}
		}
		if s := c.Stats(); s.Late != 0 {
			t.Errorf("%d probes were late with a place for each", s.Late)
		}
	})
}

func TestCheckerAtTheBoundAProbeWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLog()
		most, flying := 0, 0
		var mu sync.Mutex
		c := New(proberFunc(func(ctx context.Context, t Target) Result {
			mu.Lock()
			flying++
			most = max(most, flying)
			mu.Unlock()
			<-ctx.Done()
			mu.Lock()
			flying--
			mu.Unlock()
			return Result{Outcome: Failed, Detail: "timeout"}
		}), 2)
		c.Set(targets(6))
		run(t, c, l.report)
		passes(500 * time.Millisecond)
		s := c.Stats()
		if s.InFlight != 2 || s.Waiting != 4 || s.Targets != 6 {
			t.Errorf("in flight %d, waiting %d of %d, want 2 and 4 of 6", s.InFlight, s.Waiting, s.Targets)
		}
		passes(2501 * time.Millisecond)
		mu.Lock()
		if most != 2 {
			t.Errorf("%d probes ran at one time, want 2", most)
		}
		mu.Unlock()
		// Each had its whole timeout of 1 s, whenever it started.
		for i, line := range strings.Split(l.String(), "\n")[:6] {
			want := fmt.Sprintf("%ds ", i/2+1)
			if !strings.HasPrefix(line, want) || !strings.Contains(line, "failed after 1s timeout") {
				t.Errorf("report %d is %q, want one at %s after a timeout of 1s", i, line, want)
			}
		}
	})
}

// A reload raises the bound while probes wait, and lowers it while they run.
func TestCheckerTheBoundMayChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := New(answers(10*time.Second), 2)
		all := targets(8)
		for _, t := range all {
			t.Timeout, t.Interval = time.Minute, time.Minute
		}
		c.Set(all)
		run(t, c, newLog().report)
		for _, step := range []struct {
			limit, inFlight int
			after           time.Duration
		}{{4, 4, time.Second}, {1, 4, time.Second}, {1, 1, 10 * time.Second}} {
			c.SetInFlight(step.limit)
			passes(step.after)
			if s := c.Stats(); s.InFlight != step.inFlight {
				t.Errorf("with a limit of %d there are %d in flight after %v, want %d", step.limit, s.InFlight, step.after, step.inFlight)
			}
		}
	})
}

func TestCheckerCountsLateness(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLog()
		c := New(answers(100*time.Millisecond), 1)
		all := targets(3)
		for i := range all {
			all[i].Interval = time.Minute // none is due again
		}
		c.Set(all)
		run(t, c, l.report)
		passes(310 * time.Millisecond)
		s := c.Stats()
		if s.Late != 2 || s.LateSeconds < .299 || s.LateSeconds > .301 {
			t.Errorf("%d late by %.3f s, want 2 by 0.1 and 0.2 s", s.Late, s.LateSeconds)
		}
		if tcp := s.Kinds["tcp"]; tcp.Passed != 3 || tcp.Buckets[7] != 3 || tcp.Seconds < .299 || tcp.Seconds > .301 {
			t.Errorf("counted %+v, want 3 passes of 0.1 s", tcp)
		}
	})
}

func TestCheckerWaitersAreServedInTurn(t *testing.T) {
	// 40 servers that hang share 10 places with 10 healthy ones: there is not
	// room for all, but nobody starves.
	synctest.Test(t, func(t *testing.T) {
		l := newLog()
		c := New(proberFunc(func(ctx context.Context, t Target) Result {
			if t.Addr.As4()[1] == 0 {
				return Result{Outcome: Passed}
			}
			<-ctx.Done()
			return Result{Outcome: Failed}
		}), 10)
		all := targets(10)
		for i := range 40 {
			all = append(all, new(target(1<<16+i)))
		}
		c.Set(all)
		run(t, c, l.report)
		passes(30 * time.Second)
		l.mu.Lock()
		defer l.mu.Unlock()
		for _, want := range all {
			times := l.times[*want]
			for i := 1; i < len(times); i++ {
				if gap := times[i] - times[i-1]; gap > 7*time.Second {
					t.Errorf("%v waited %v, want about 5 s as everybody", want.Addr, gap)
				}
			}
			if len(times) < 5 {
				t.Errorf("%v had %d probes in 30 s", want.Addr, len(times))
			}
		}
	})
}

func TestCheckerOverloadIsNotTheServersFault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLog()
		late := 250 * time.Millisecond
		c := New(proberFunc(func(ctx context.Context, t Target) Result {
			<-ctx.Done()
			time.Sleep(late) // as if there were no processor
			late = 700 * time.Millisecond
			return Result{Outcome: Failed, Detail: "timeout"}
		}), DefaultInFlight)
		c.Set(targets(1))
		run(t, c, l.report)
		passes(3 * time.Second)
		want := "1.25s 10.0.0.0 failed after 1.25s timeout\n" +
			"2.95s 10.0.0.0 not_run after 1.7s this director is overloaded or was stopped: it noticed the timeout of 1s after 1.7s"
		if diff := cmp.Diff(want, l.String()); diff != "" {
			t.Errorf("reports (-want +got):\n%s", diff)
		}
	})
}

// "10,000 servers must not be asked all at once when the director starts."
func TestCheckerBoundsProbesInASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLog()
		c := New(answers(time.Millisecond), DefaultInFlight)
		c.SetPerSecond(50)
		all := targets(100)
		for _, t := range all {
			t.Interval = time.Minute
		}
		c.Set(all)
		run(t, c, l.report)
		passes(time.Second)
		if s := c.Stats(); s.Kinds["tcp"].Passed < 48 || s.Kinds["tcp"].Passed > 52 || s.Waiting < 40 {
			t.Errorf("after a second, %d probes have passed and %d wait, want 50 and the rest", s.Kinds["tcp"].Passed, s.Waiting)
		}
		passes(1200 * time.Millisecond)
		if s := c.Stats(); s.Kinds["tcp"].Passed < 100 || s.Late == 0 {
			t.Errorf("after 2.2 seconds, %d probes have passed, %d of them late, want all", s.Kinds["tcp"].Passed, s.Late)
		}
	})
}
