package checker

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// An engine is an Engine whose servers, and those of its ProbeFuncs, behave as a test
// says.
type engine struct {
	proberFunc
	// decide returns what the engine decides about a target, and after how long.
	decide func(Target) (Result, time.Duration)
	// refuse: it can ask nobody.
	refuse bool

	mu      sync.Mutex
	deliver func([]Answer)
	asked   []int // by one call each
	forgot  int
	running sync.WaitGroup
}

func (e *engine) Asks(s Spec) bool { return s == "tcp" }

func (e *engine) Ask(questions []Question) (left []Question) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.refuse || e.deliver == nil {
		return slices.Clone(questions)
	}
	e.asked = append(e.asked, len(questions))
	for _, q := range questions {
		r, after := e.decide(*q.Target)
		e.running.Go(func() {
			time.Sleep(after)
			e.deliver([]Answer{{q, r}})
		})
	}
	return nil
}

func (e *engine) Begin(deliver func([]Answer)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.deliver = deliver
}

func (e *engine) End() { e.running.Wait() }

func (e *engine) Forget() { e.mu.Lock(); defer e.mu.Unlock(); e.forgot++ }

func (e *engine) Unusable() error {
	if e.refuse {
		return errors.New("it is not permitted")
	}
	return nil
}

// questions returns how many questions there were so far.
func (e *engine) questions() (n int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, asked := range e.asked {
		n += asked
	}
	return n
}

func passedAfter(d time.Duration) func(Target) (Result, time.Duration) {
	return func(Target) (Result, time.Duration) { return Result{Outcome: Passed}, d }
}

func undecidedAfter(d time.Duration) func(Target) (Result, time.Duration) {
	return func(Target) (Result, time.Duration) { return Result{}, d }
}

// hourly are targets of which each is asked once in a test.
func hourly(n int) []*Target {
	all := targets(n)
	for _, t := range all {
		t.Interval = 1000 * time.Hour
	}
	return all
}

func TestTheEngineIsAskedManyAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLog()
		e := &engine{proberFunc: func(context.Context, Target) Result { panic("a goroutine's probe") }, decide: passedAfter(5 * time.Millisecond)}
		c := New(e, DefaultInFlight)
		run(t, c, l.report)
		c.Set(hourly(1000))
		passes(100 * time.Millisecond)
		if got := len(strings.Split(l.String(), "\n")); got != 1000 {
			t.Errorf("%d results, want 1000", got)
		}
		if got := len(e.asked); got > 1000/askAtOnce+1 {
			t.Errorf("it was asked %d times, want %d questions at once", got, askAtOnce)
		}
		if s := c.Stats(); s.Kinds["tcp"].Passed != 1000 || s.InFlight != 0 || s.Bypassed != 0 {
			t.Errorf("counted %+v, want 1000 passes", s)
		}
	})
}

// "A lost packet must not cost a server its place."
func TestWhatTheEngineLeavesUndecidedTheProbeDecides(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLog()
		e := &engine{proberFunc: func(ctx context.Context, _ Target) Result {
			<-ctx.Done()
			return Result{Outcome: Failed, Detail: "timeout", Silent: true}
		}, decide: undecidedAfter(300 * time.Millisecond)}
		c := New(e, DefaultInFlight)
		run(t, c, l.report)
		c.Set(these(target(1)))
		passes(2600 * time.Millisecond)
		// The timeout, 1 s, is that of both. Who was silent is asked by the probe alone.
		want := "1s 10.0.0.1 failed after 1s timeout\n2.5s 10.0.0.1 failed after 1s timeout"
		if diff := cmp.Diff(want, l.String()); diff != "" {
			t.Errorf("reports (-want +got):\n%s", diff)
		}
		if n := e.questions(); n != 1 {
			t.Errorf("the engine was asked %d times, want once: the server was silent then", n)
		}
	})
}

func TestAnEngineThatHearsNothingIsNotAskedForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &engine{proberFunc: answers(time.Millisecond), decide: undecidedAfter(100 * time.Millisecond)}
		c := New(e, DefaultInFlight)
		run(t, c, newLog().report)
		c.Set(these(target(1)))
		passes(60 * time.Second)
		if n, s := e.questions(), c.Stats(); n != maxDoubts || s.Bypassed != 1 || s.Kinds["tcp"].Failed != 0 {
			t.Errorf("after a minute: %d questions, %d bypassed, %+v; want %d, 1, and no failure", n, s.Bypassed, s.Kinds["tcp"], maxDoubts)
		}
		passes(newTrust * 2 * time.Second)
		if n := e.questions(); n <= maxDoubts {
			t.Error("it was not tried again")
		}
		before := e.questions()
		c.Retry() // The machine's routes have changed.
		passes(3 * time.Second)
		if n := e.questions(); n <= before || e.forgot != 1 {
			t.Errorf("after a change of this machine: %d questions, %d before; forgot %d times, want 1", n, before, e.forgot)
		}
	})
}

func TestAnEngineThatCannotAskCostsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &engine{proberFunc: answers(time.Millisecond), refuse: true}
		c := New(e, DefaultInFlight)
		run(t, c, newLog().report)
		c.Set(hourly(100))
		passes(500 * time.Millisecond)
		if s := c.Stats(); s.Kinds["tcp"].Passed != 100 || s.Unusable != "it is not permitted" {
			t.Errorf("%+v, %q; want 100 passes and the reason", s.Kinds["tcp"], s.Unusable)
		}
	})
}

func TestATargetThatIsGoneHasNoAnswer(t *testing.T) {
	for name, decide := range map[string]func(Target) (Result, time.Duration){
		"decided": passedAfter(200 * time.Millisecond), "undecided": undecidedAfter(200 * time.Millisecond),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLog()
				e := &engine{proberFunc: answers(0), decide: decide}
				c := New(e, DefaultInFlight)
				run(t, c, l.report)
				c.Set(targets(3))
				passes(100 * time.Millisecond)
				c.Set(nil)
				passes(time.Second)
				if s := c.Stats(); l.String() != "" || s.InFlight != 0 || s.Targets != 0 {
					t.Errorf("reported %q, %d in flight, %d targets; want nothing", l, s.InFlight, s.Targets)
				}
			})
		})
	}
}

// The engine decides that a server refuses, which is asked again soon.
func TestARefusalByTheEngineIsAskedAgainSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLog()
		e := &engine{decide: func(Target) (Result, time.Duration) {
			return Result{Outcome: Failed, Reason: Refused, Detail: "connection refused"}, time.Millisecond
		}}
		c := New(e, DefaultInFlight)
		run(t, c, l.report)
		c.Set(these(target(1)))
		passes(1200 * time.Millisecond)
		if n := e.questions(); n != 3 {
			t.Errorf("%d questions in 1.2 s, want one each half second:\n%s", n, l)
		}
	})
}

func TestHowLateProbesBeginIsCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := New(answers(30*time.Millisecond), 1)
		all := targets(3)
		for _, t := range all {
			t.Interval = time.Minute
		}
		c.Set(all)
		run(t, c, newLog().report)
		passes(time.Second)
		want := make([]uint64, len(DelayBounds)+1)
		want[0], want[5], want[6] = 1, 1, 1 // at once, after 30 ms, after 60 ms
		if s := c.Stats(); !cmp.Equal(s.Delays, want) || s.DelaySeconds < .089 || s.DelaySeconds > .091 {
			t.Errorf("delays %v, %.3f s, want %v and 0.09", s.Delays, s.DelaySeconds, want)
		}
	})
}
