package checker

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// hanging is a prober whose probes of one target hang in a system call until release is
// closed, whatever their deadline, while it hangs.
type hanging struct {
	target  Target
	hangs   atomic.Bool
	release chan struct{}
	begun   atomic.Int32 // probes of the target
}

func hang(t Target) *hanging {
	h := &hanging{target: t, release: make(chan struct{})}
	h.hangs.Store(true)
	return h
}

func (h *hanging) Compile(Spec) ProbeFunc {
	return func(_ context.Context, t Target) Result {
		if t != h.target {
			return Result{Outcome: Passed}
		}
		h.begun.Add(1)
		if h.hangs.Load() {
			<-h.release
			return Result{Outcome: Failed, Detail: "at last"}
		}
		return Result{Outcome: Passed}
	}
}

// "One probe hung in a dead NFS mount, and its server was never checked again."
func TestAProbeThatHangsIsGivenUpAndBegunAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLog()
		h := hang(target(1))
		c := New(h, DefaultInFlight)
		c.Set(targets(3))
		run(t, c, l.report)
		passes(20 * time.Second)
		if n := h.begun.Load(); n != 1 || len(l.times[target(1)]) != 0 || len(l.times[target(0)]) < 9 {
			t.Fatalf("%d probes of the target that hangs, and %d results of another", n, len(l.times[target(0)]))
		}
		h.hangs.Store(false)
		c.Restart([]Target{target(1), target(0), target(7)}) // One is in order, and one unknown.
		passes(20 * time.Second)
		if s := c.Stats(); s.Restarted != 1 || s.Lost != 1 || s.InFlight != 0 {
			t.Errorf("%d restarted, %d lost, %d in flight, want 1, 1 and 0", s.Restarted, s.Lost, s.InFlight)
		}
		l.mu.Lock()
		n := len(l.times[target(1)])
		l.mu.Unlock()
		if n < 9 {
			t.Errorf("%d results in 20 s, want one every 2 s", n)
		}
		close(h.release)
		passes(time.Millisecond)
		l.mu.Lock()
		defer l.mu.Unlock()
		if s := c.Stats(); s.Lost != 0 || s.InFlight != 0 || len(l.times[target(1)]) != n {
			t.Errorf("when the lost probe ended, %d were lost, %d in flight, and %d results came", s.Lost, s.InFlight, len(l.times[target(1)])-n)
		}
	})
}

// A target that always hangs must not make a goroutine more each time, and takes no places.
func TestProbesThatHangDoNotPileUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hang(target(1))
		c := New(h, 10*maxLost) // The bound of all is not the one of this target.
		c.Set(targets(3))
		l := newLog()
		run(t, c, l.report)
		for range 100 {
			passes(10 * time.Second)
			c.Restart([]Target{target(1)})
		}
		passes(time.Millisecond)
		if s := c.Stats(); h.begun.Load() != maxLost+1 || s.Lost != maxLost || s.InFlight != 1 {
			t.Errorf("%d probes begun, %d lost, %d in flight; want %d, %d and 1", h.begun.Load(), s.Lost, s.InFlight, maxLost+1, maxLost)
		}
		if n := len(l.times[target(2)]); n < 400 {
			t.Errorf("another target had %d results in 1000 s", n)
		}
		close(h.release)
		passes(time.Millisecond)
		if s := c.Stats(); s.Lost != 0 || s.InFlight != 0 {
			t.Errorf("after all, %d are lost and %d in flight", s.Lost, s.InFlight)
		}
	})
}

// As many may be lost as may be in flight.
func TestTheBoundIsOfProbesThatAreLostToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		c := New(proberFunc(func(context.Context, Target) Result { <-release; return Result{Outcome: Passed} }), 4)
		all := targets(20)
		c.Set(all)
		run(t, c, newLog().report)
		for range 10 {
			passes(10 * time.Second)
			for _, target := range all {
				c.Restart([]Target{*target})
			}
		}
		if s := c.Stats(); s.Lost != 4 || s.InFlight != 4 {
			t.Errorf("%d are lost, and %d in flight, want 4 of each", s.Lost, s.InFlight)
		}
		close(release)
		passes(10 * time.Second)
	})
}

// The Engine's answer may be lost as well, and may come when nobody waits any more.
func TestAnAnswerThatTheEngineOwesIsGivenUp(t *testing.T) {
	for _, late := range []Result{{Outcome: Failed, Reason: Refused}, {}} {
		synctest.Test(t, func(t *testing.T) {
			l := newLog()
			var first atomic.Bool
			e := &engine{proberFunc: answers(0), decide: func(Target) (Result, time.Duration) {
				if !first.Swap(true) {
					return late, 30 * time.Second
				}
				return Result{Outcome: Passed}, time.Millisecond
			}}
			c := New(e, DefaultInFlight)
			c.Set(targets(1))
			run(t, c, l.report)
			passes(10 * time.Second)
			c.Restart([]Target{target(0)})
			passes(30 * time.Second)
			l.mu.Lock()
			defer l.mu.Unlock()
			if s := c.Stats(); s.Lost != 0 || s.InFlight != 0 || s.Restarted != 1 || s.Kinds["tcp"].Failed != 0 || s.Kinds["tcp"].Passed < 14 {
				t.Errorf("%+v", s)
			}
		})
	}
}

// A result that its owner is still taking is none that was lost.
func TestAResultThatIsBeingReportedIsNotGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hold := make(chan struct{})
		c := New(answers(0), DefaultInFlight)
		c.Set(targets(1))
		run(t, c, func([]Observation) { <-hold })
		passes(time.Minute)
		c.Restart([]Target{target(0)})
		passes(time.Second)
		if s := c.Stats(); s.Restarted != 0 || s.InFlight != 1 {
			t.Errorf("%d restarted, %d in flight, want 0 and 1", s.Restarted, s.InFlight)
		}
		close(hold)
	})
}

// systemd kills a daemon that does not end.
func TestRunEndsAlthoughAProbeHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hang(target(0))
		c := New(h, DefaultInFlight)
		c.Set(targets(1))
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- c.Run(ctx, newLog().report) }()
		passes(time.Second)
		cancel()
		passes(lastPatience)
		select {
		case <-ended:
		default:
			t.Error("it waits for a probe that never ends")
		}
		close(h.release)
	})
}
