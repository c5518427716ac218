package hook_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/event"
	"github.com/lvsd/lvsd/internal/hook"
	"github.com/lvsd/lvsd/internal/spawn"
	"github.com/lvsd/lvsd/vrrp"
)

// programs take a second, or until they are ended.
type programs struct {
	mu           sync.Mutex
	running, max int
	told         []string
	read         []byte // by those that stay
}

func (p *programs) Run(ctx context.Context, c spawn.Command) (o spawn.Outcome, err error) {
	p.count(1)
	defer p.count(-1)
	takes := time.Second
	if c.Args[0] == "/hooks/slow" {
		takes = time.Hour
	}
	select {
	case <-time.After(takes):
	case <-ctx.Done():
		o.Canceled = true
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.told = append(p.told, c.Env[2])
	return o, nil
}

// Keep reads what comes, and stops reading after what begins with "full". It ends at the
// end of its input, or with its context.
func (p *programs) Keep(ctx context.Context, c spawn.Command, feed func(context.Context) []byte, said func([]byte, int64)) (o spawn.Outcome, err error) {
	for lines := feed(ctx); lines != nil; lines = feed(ctx) {
		p.mu.Lock()
		p.read = append(p.read, lines...)
		p.mu.Unlock()
		said([]byte("thanks\n"), 0)
		if c.Args[0] == "/hooks/deaf" {
			<-ctx.Done()
		}
		if c.Args[0] == "/hooks/brief" {
			return spawn.Outcome{Status: 1}, nil
		}
	}
	o.Canceled = ctx.Err() != nil
	return o, nil
}

func (p *programs) Check(c spawn.Command) error {
	if c.Args[0] == "/hooks/slow" {
		return errors.New("it is slow")
	}
	return nil
}

func (p *programs) count(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.running += n
	p.max = max(p.max, p.running)
}

// setup has so many routers with a hook, all of which are Master.
func setup(n int, program string) (*hook.Runner, *programs, *[]string) {
	p, events := &programs{}, []string{}
	r := hook.NewRunner(p, nil, func(e event.Event) { events = append(events, e.Code) })
	var routers []vrrp.Config
	var hooks []config.Hook
	var statuses []*vrrp.Status
	for i := range n {
		name := fmt.Sprint("r", i)
		routers = append(routers, vrrp.Config{Name: name})
		hooks = append(hooks, config.Hook{Owner: config.Owner{Router: name}, On: "any", Program: config.Program{Run: []string{program}}})
		statuses = append(statuses, &vrrp.Status{Name: name, State: vrrp.Master})
	}
	r.Configure(routers, hooks, nil)
	r.Take(statuses, nil)
	return r, p, &events
}

func TestAThousandRoutersDoNotStartAThousandPrograms(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, p, _ := setup(1000, "/hooks/any")
		r.Finish(t.Context())
		if len(p.told) != 2000 || p.max > 64 || p.max < 2 {
			t.Errorf("%d runs, %d at a time", len(p.told), p.max)
		}
	})
}

func TestTheLastHooksAreWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, p, events := setup(1, "/hooks/any")
		began := time.Now()
		r.Finish(t.Context())
		if want := []string{"LVSD_STATE=master", "LVSD_STATE=stop"}; !slices.Equal(p.told, want) || time.Since(began) != 2*time.Second {
			t.Errorf("told %q in %v, want %q", p.told, time.Since(began), want)
		}
		if want := []string{"hook-run", "hook-run"}; !slices.Equal(*events, want) {
			t.Errorf("events %q, want %q", *events, want)
		}
	})
}

func TestTheRunnerRunsAHookAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &programs{}
		r := hook.NewRunner(p, nil, func(event.Event) {})
		r.Configure([]vrrp.Config{{Name: "web"}}, []config.Hook{{Owner: config.Owner{Router: "web"}, On: "any", Assert: 9 * time.Second, Program: config.Program{Run: []string{"/hooks/any"}}}}, nil)
		r.Take([]*vrrp.Status{{Name: "web", State: vrrp.Master}}, nil)
		time.Sleep(35 * time.Second) // it runs at 0, 10, 20, 30
		answers := make(chan api.Ordered, 1)
		r.Assert([]string{"web"}, api.User{}, func(o api.Ordered) { answers <- o })
		if o := <-answers; !o.OK || len(o.Hooks) != 1 || o.Hooks[0].Took != time.Second {
			t.Errorf("answer %+v", o)
		}
		time.Sleep(9*time.Second + 500*time.Millisecond) // The next one runs.
		began := time.Now()
		r.Take([]*vrrp.Status{{Name: "web", State: vrrp.Backup}}, nil)
		synctest.Wait()
		p.mu.Lock()
		if time.Since(began) > 0 || len(p.told) != 6 {
			t.Errorf("what was asserted is not ended at once: told %q", p.told)
		}
		p.mu.Unlock()
		r.Finish(t.Context())
		if want := slices.Concat(slices.Repeat([]string{"LVSD_STATE=master"}, 6), []string{"LVSD_STATE=backup", "LVSD_STATE=stop"}); !slices.Equal(p.told, want) || p.max != 1 {
			t.Errorf("told %q, %d at a time", p.told, p.max)
		}
	})
}

func TestAHookThatDoesNotEndIsEndedWithTheDaemon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, p, events := setup(1, "/hooks/slow")
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		began := time.Now()
		r.Finish(ctx)
		if time.Since(began) != 30*time.Second || p.running > 0 {
			t.Errorf("it took %v, %d run", time.Since(began), p.running)
		}
		if !slices.Contains(*events, "hooks-cut-short") {
			t.Errorf("events %q", *events)
		}
	})
}

func TestAHookThatCouldNotBeRunIsKnownBeforehand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for program, want := range map[string]string{"/hooks/slow": "it is slow", "/hooks/any": ""} {
			r, _, _ := setup(1, program)
			synctest.Wait()
			if got := unusable(r); got != want {
				t.Errorf("%s: %q, want %q", program, got, want)
			}
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			r.Finish(ctx)
		}
	})
}

func unusable(r *hook.Runner) string {
	return r.Statuses()[config.Owner{Router: "r0"}][0].Unusable
}
