package hook_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/event"
	"github.com/lvsd/lvsd/internal/hook"
	"github.com/lvsd/lvsd/vrrp"
)

// streaming has so many Masters, and a stream with a program.
func streaming(n int, program string) (r *hook.Runner, p *programs, codes func() []string) {
	p = &programs{}
	var events []string
	r = hook.NewRunner(p, nil, func(e event.Event) {
		p.mu.Lock()
		defer p.mu.Unlock()
		events = append(events, e.Code)
	})
	var routers []vrrp.Config
	for i := range n {
		routers = append(routers, vrrp.Config{Name: fmt.Sprint("r", i), Priority: 100})
	}
	r.Configure(routers, nil, []config.Stream{{Name: "all", Run: []string{program}, StopTimeout: 5 * time.Second}})
	become(r, n, vrrp.Master)
	return r, p, func() []string {
		p.mu.Lock()
		defer p.mu.Unlock()
		return slices.Clone(events)
	}
}

// become has routers come into a state.
func become(r *hook.Runner, n int, state vrrp.State) {
	var statuses []*vrrp.Status
	for i := range n {
		statuses = append(statuses, &vrrp.Status{Name: fmt.Sprint("r", i), State: state, Priority: 100})
	}
	r.Take(statuses, nil)
}

// lines are what was read, without the first one.
func (p *programs) lines() (events []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for line := range strings.Lines(string(p.read)) {
		event, _, _ := strings.Cut(strings.TrimPrefix(line, `{"event":"`), `"`)
		events = append(events, event)
	}
	return events
}

func TestAProgramThatStaysIsToldUntilTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, p, codes := streaming(1, "/hooks/all")
		synctest.Wait()
		become(r, 1, vrrp.Backup)
		time.Sleep(time.Hour)
		began := time.Now()
		r.Finish(t.Context())
		if got, want := p.lines(), []string{"start", "present", "transition", "transition"}; !slices.Equal(got, want) && !slices.Equal(got, []string{"start", "transition", "transition", "transition"}) {
			t.Errorf("it has read %q, want %q", got, want)
		}
		if !strings.Contains(string(p.read), `"state":"stop","former_state":"backup"`) || time.Since(began) > 0 {
			t.Errorf("%v after the end it has read %s", time.Since(began), p.read)
		}
		if got := codes(); got[0] != "stream-started" || got[len(got)-1] != "stream-ended" || !slices.Contains(got, "stream-output") {
			t.Errorf("events %q", got)
		}
	})
}

func TestAProgramThatNeverReadsNeitherBlocksNorGrowsLvsd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, p, codes := streaming(100, "/hooks/deaf")
		synctest.Wait()
		began := time.Now()
		for i := range 40 {
			become(r, 100, []vrrp.State{vrrp.Backup, vrrp.Master}[i%2])
		}
		if time.Since(began) > 0 || !r.Streams()[0].Behind {
			t.Errorf("lvsd waited for %v; %+v", time.Since(began), r.Streams())
		}
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		r.Finish(ctx)
		if time.Since(began) != 5*time.Second || !slices.Contains(codes(), "stream-behind") || slices.Contains(p.lines(), "skipped") {
			t.Errorf("ended after %v; events %q", time.Since(began), codes())
		}
	})
}

func TestAProgramThatEndsAtOnceInALoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _, codes := streaming(1, "/hooks/brief")
		time.Sleep(time.Hour)
		n := 0
		for _, code := range codes() {
			if code == "stream-ended" {
				n++
			}
		}
		if s := r.Streams()[0]; n < 60 || n > 70 || s.Running || s.Failure != "exited with status 1" {
			t.Errorf("it ended %d times in an hour: %+v", n, s)
		}
		r.Finish(t.Context())
	})
}

// A reload that has no streams any more, while lines are told.
func TestAProgramThatStaysIsEndedByReload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, p, codes := streaming(1, "/hooks/all")
		synctest.Wait()
		r.Configure([]vrrp.Config{{Name: "r0", Priority: 100}}, nil, nil)
		synctest.Wait()
		if got := codes(); got[len(got)-1] != "stream-ended" || len(r.Streams()) > 0 {
			t.Errorf("events %q", got)
		}
		read := len(p.lines())
		become(r, 1, vrrp.Backup)
		r.Finish(t.Context())
		if len(p.lines()) != read {
			t.Error("it is told more")
		}
	})
}
