package probe

import (
	"context"
	"errors"
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
		{"it ends with status 0", func(context.Context, checker.Exec, time.Duration) (string, error) { return "", nil }, checker.Passed, ""},
		{"it does not", func(context.Context, checker.Exec, time.Duration) (string, error) { return "exited with status 1", nil },
			checker.Failed, "/etc/lvsd/check exited with status 1"},
		{"it cannot be run", func(context.Context, checker.Exec, time.Duration) (string, error) {
			return "", errors.New("no such user")
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
	p := starting(func(_ context.Context, _ checker.Exec, timeout time.Duration) (string, error) {
		started++
		timeouts <- timeout
		<-ends
		return "", nil
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
	p := starting(func(ctx context.Context, _ checker.Exec, timeout time.Duration) (string, error) {
		select {
		case <-ctx.Done():
			canceled <- true
		case <-time.After(timeout + 50*time.Millisecond):
			canceled <- false
		}
		return "", nil
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
