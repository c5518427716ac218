package probe

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/lvsd/lvsd/checker"
)

var script = checker.Exec{Run: []string{"/etc/lvsd/check"}}

// starting returns a Prober that starts programs so.
func starting(start Starter) checker.ProbeFunc { return New(start).Compile(checker.SpecOf(script)) }

// running runs a probe with a timeout.
func running(t *testing.T, p checker.ProbeFunc, timeout time.Duration) checker.Result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	return p(ctx, checker.Target{Spec: checker.SpecOf(script), Timeout: timeout})
}

func TestExec(t *testing.T) {
	for _, tt := range []struct {
		name    string
		start   Starter
		outcome checker.Outcome
		detail  string
	}{
		{"it ends with status 0", func(context.Context, checker.Exec, time.Duration) (Ended, error) { return Ended{}, nil }, checker.Passed, ""},
		{"it does not", func(context.Context, checker.Exec, time.Duration) (Ended, error) {
			return Ended{1, "exited with status 1"}, nil
		},
			checker.Failed, "/etc/lvsd/check exited with status 1"},
		{"it cannot be run", func(context.Context, checker.Exec, time.Duration) (Ended, error) {
			return Ended{}, errors.New("no such user")
		},
			checker.NotRun, "no such user"},
		{"nothing is started here", nil, checker.NotRun, "programs are not started here"},
	} {
		t.Run(tt.name, func(t *testing.T) { expect(t, running(t, starting(tt.start), patience), tt.outcome, tt.detail) })
	}
}

// "A check that hangs, and ignores SIGTERM, was started again and again."
func TestAProgramThatDoesNotEndIsNotStartedAgain(t *testing.T) {
	ends, started, timeouts := make(chan struct{}), 0, make(chan time.Duration, 2)
	p := starting(func(_ context.Context, _ checker.Exec, timeout time.Duration) (Ended, error) {
		started++
		timeouts <- timeout
		<-ends
		return Ended{}, nil
	})
	expect(t, running(t, p, 20*time.Millisecond), checker.Failed, "/etc/lvsd/check did not end within 20ms")
	expect(t, running(t, p, 20*time.Millisecond), checker.Failed, "/etc/lvsd/check has not ended yet")
	if timeout := <-timeouts; started != 1 || timeout != 20*time.Millisecond {
		t.Errorf("it was started %d times, with a timeout of %v", started, timeout)
	}
	close(ends)
	for r := running(t, p, patience); r.Outcome != checker.Passed; r = running(t, p, patience) { // The first run is just ending.
		expect(t, r, checker.Failed, "/etc/lvsd/check has not ended yet")
	}
}

// A reload that changes the program ends the one that runs; its time alone does not.
func TestAProgramIsEndedWhenNobodyAsksAnyMore(t *testing.T) {
	canceled := make(chan bool, 1)
	p := starting(func(ctx context.Context, _ checker.Exec, timeout time.Duration) (Ended, error) {
		select {
		case <-ctx.Done():
			canceled <- true
		case <-time.After(timeout + 50*time.Millisecond):
			canceled <- false
		}
		return Ended{}, nil
	})
	running(t, p, 10*time.Millisecond)
	if <-canceled {
		t.Error("its time was over, and the starter could not end it in its own way")
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	time.AfterFunc(10*time.Millisecond, cancel)
	for r := p(ctx, checker.Target{Timeout: patience}); r.Outcome != checker.NotRun; r = p(ctx, checker.Target{Timeout: patience}) {
		expect(t, r, checker.Failed, "/etc/lvsd/check has not ended yet")
	}
	if !<-canceled {
		t.Error("it goes on although nobody asks")
	}
}

// By option, statuses from 2 on are weights, as keepalived's misc_dynamic has them.
func TestTheStatusOfAProgramIsAWeight(t *testing.T) {
	for _, tt := range []struct {
		name    string
		ended   Ended
		weighs  bool
		outcome checker.Outcome
		advice  checker.Advice
		detail  string
	}{
		{"0: the configured weight", Ended{}, true, checker.Passed, checker.Advice{}, ""},
		{"1: down", Ended{1, "exited with status 1"}, true, checker.Failed, checker.Advice{}, "/etc/lvsd/check exited with status 1"},
		{"2: none", Ended{2, "exited with status 2"}, true, checker.Passed, checker.Advice{Measure: checker.Absolute}, ""},
		{"3: the least", Ended{3, "exited with status 3"}, true, checker.Passed, checker.Advice{Weight: 1, Measure: checker.Absolute}, ""},
		{"255: the greatest", Ended{255, "exited with status 255"}, true, checker.Passed, checker.Advice{Weight: 253, Measure: checker.Absolute}, ""},
		{"not by option", Ended{3, "exited with status 3"}, false, checker.Failed, checker.Advice{}, "/etc/lvsd/check exited with status 3"},
		{"ended by a signal", Ended{-1, "was ended by signal 9"}, true, checker.Failed, checker.Advice{}, "/etc/lvsd/check was ended by signal 9"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := script
			o.StatusWeight = tt.weighs
			p := New(func(context.Context, checker.Exec, time.Duration) (Ended, error) { return tt.ended, nil }).Compile(checker.SpecOf(o))
			r := running(t, p, patience)
			expect(t, r, tt.outcome, tt.detail)
			if r.Advice != tt.advice {
				t.Errorf("advice %+v, want %+v", r.Advice, tt.advice)
			}
		})
	}
}

// Programs of thousands of servers must not take the machine's memory, nor make those of
// conditions wait.
func TestProgramsOfServersAreBounded(t *testing.T) {
	ends, began := make(chan struct{}), make(chan struct{}, maxPrograms)
	p := New(func(_ context.Context, e checker.Exec, _ time.Duration) (Ended, error) {
		if len(e.Environment) > 0 {
			began <- struct{}{}
			<-ends
		}
		return Ended{}, nil
	})
	of := func(server int) checker.ProbeFunc {
		o := script
		o.Environment = []string{fmt.Sprintf("LVSD_SERVER=%d", server)}
		return p.Compile(checker.SpecOf(o))
	}
	var all sync.WaitGroup
	for i := range maxPrograms {
		one := of(i)
		all.Go(func() { expect(t, running(t, one, patience), checker.Passed, "") })
	}
	for range maxPrograms {
		<-began
	}
	last := of(maxPrograms)
	expect(t, running(t, last, 10*time.Millisecond), checker.NotRun, "64 programs of other checks are running")
	expect(t, running(t, p.Compile(checker.SpecOf(script)), patience), checker.Passed, "")
	close(ends)
	all.Wait()
	expect(t, running(t, last, patience), checker.Passed, "")
}
