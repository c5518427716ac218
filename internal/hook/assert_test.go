package hook

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/spawn"
	"github.com/lvsd/lvsd/vrrp"
)

// asserted is a hook of the router "web" that is run again every 30 s.
func asserted(state string) config.Hook {
	h := on(state)
	h.Assert = 30 * time.Second
	return h
}

// pass lets time pass, and does what is due meanwhile.
func (s *stage) pass(d time.Duration) {
	until := s.now.Add(d)
	for next := s.Deadline(); !next.IsZero() && !next.After(until); next = s.Deadline() {
		s.now = next
		s.do(s.Expire(s.now))
	}
	s.now = until
}

func TestAHookThatMovesAnAddressInACloudIsRunAgain(t *testing.T) {
	const run = "start /hooks/master LVSD_STATE=master LVSD_FORMER_STATE=master"
	s := newStage(asserted("master"), on("backup"))
	s.become(vrrp.Backup, vrrp.Master, vrrp.BecameMaster)
	s.end(spawn.Outcome{}, nil)
	s.seen = nil
	s.pass(30*time.Second - 1)
	s.check(t)
	s.pass(1)
	s.check(t, run)
	for _, want := range []string{"LVSD_ASSERTED=interval", "LVSD_REASON=nothing has changed, and it is run every 30s"} {
		if !slices.Contains(s.begun[2].Env, want) {
			t.Errorf("%s is not in %q", want, s.begun[2].Env)
		}
	}
	s.pass(time.Hour) // It takes long, and never runs twice at once.
	s.check(t)
	s.end(spawn.Outcome{}, nil)
	s.check(t) // It ended as the last time.
	s.pass(30 * time.Second)
	s.check(t, run)
	s.end(spawn.Outcome{Status: 1, Output: []byte("403")}, nil)
	s.check(t, "hook-output state=master program=/hooks/master asserted=interval", "hook-failed state=master program=/hooks/master asserted=interval result=exited with status 1")
	s.pass(30 * time.Second)
	s.end(spawn.Outcome{Status: 1}, nil)
	s.check(t, run)
	if h := s.statuses()[0]; h.Runs != 4 || h.Failures != 2 || h.Last.Asserted != "interval" {
		t.Errorf("status %+v", h)
	}
	s.become(vrrp.Master, vrrp.Backup, vrrp.BecameBackup)
	s.end(spawn.Outcome{}, nil)
	s.seen = nil
	s.pass(24 * time.Hour)
	s.check(t)
}

func TestAChangeOfTheStateComesBeforeAnAssertion(t *testing.T) {
	s := newStage(asserted("master"), on("backup"))
	s.become(vrrp.Backup, vrrp.Master, vrrp.BecameMaster)
	s.end(spawn.Outcome{}, nil)
	s.pass(30 * time.Second)
	s.seen = nil
	s.become(vrrp.Master, vrrp.Backup, vrrp.BecameBackup)
	s.check(t, "end /hooks/master")
	s.become(vrrp.Backup, vrrp.Master, vrrp.BecameMaster) // It is ended once, and is no run of this state.
	s.check(t, "hook-skipped skipped=[backup] state=master")
	s.end(spawn.Outcome{Canceled: true}, nil)
	s.check(t, "hook-overtaken state=master program=/hooks/master", "start /hooks/master LVSD_STATE=master LVSD_FORMER_STATE=backup")
	if h := s.statuses()[0]; h.Runs != 1 || h.Failures != 0 || !h.Last.OK {
		t.Errorf("an assertion that was overtaken is no failure: %+v", h)
	}
	s.end(spawn.Outcome{}, nil)
	s.seen = nil
	s.pass(30 * time.Second)
	s.do(s.Finish(s.now))
	s.check(t, "start /hooks/master LVSD_STATE=master LVSD_FORMER_STATE=master", "end /hooks/master")
	s.end(spawn.Outcome{Canceled: true}, nil)
	s.check(t, "hook-overtaken state=master program=/hooks/master")
	if d := s.Deadline(); !d.IsZero() {
		t.Errorf("something is scheduled at %v although all has stopped", d)
	}
}

func TestAHookForAnyIsNotRunAgainOnceTheRouterHasStopped(t *testing.T) {
	s := newStage(asserted("any"))
	s.become(vrrp.Initialize, vrrp.Backup, vrrp.BecameBackup)
	s.end(spawn.Outcome{}, nil)
	s.do(s.Finish(s.now))
	s.end(spawn.Outcome{}, nil)
	s.seen = nil
	s.pass(time.Hour)
	s.check(t)
}

// By a reload, a hook is no longer run again, or is.
func TestAssertionsByReload(t *testing.T) {
	s := newStage(asserted("master"))
	s.become(vrrp.Backup, vrrp.Master, vrrp.BecameMaster)
	s.end(spawn.Outcome{}, nil)
	s.do(s.Configure(s.now, routers("web"), []config.Hook{asserted("master")}))
	s.seen = nil
	s.pass(30 * time.Second)
	s.check(t, "start /hooks/master LVSD_STATE=master LVSD_FORMER_STATE=master")
	s.do(s.Configure(s.now, routers("web"), nil))
	s.end(spawn.Outcome{}, nil)
	s.seen = nil
	s.pass(time.Hour)
	s.check(t)
}

// ordered is what came of an order, a line for each hook.
func (s *stage) order(names ...string) *string {
	answer := "none"
	s.do(s.Assert(s.now, names, api.User{Name: "alice", UID: 1000}, func(o api.Ordered) {
		answer = fmt.Sprintf("ok=%t %s", o.OK, o.Error)
		for _, a := range o.Hooks {
			answer += fmt.Sprintf("\n%s%s %s %s %s %s", a.Router, a.SyncGroup, a.On, a.Outcome, a.State, a.Result)
		}
	}))
	return &answer
}

func TestAnOperatorHasHooksRunAgain(t *testing.T) {
	before := on("master")
	before.Before = true
	s := newStage(on("master"), on("backup"), on("any"), before)
	s.become(vrrp.Backup, vrrp.Master, vrrp.BecameMaster)
	s.end(spawn.Outcome{}, nil)
	s.seen = nil
	got := s.order() // while the hook for "any" still runs
	s.check(t)
	if again := *s.order(); again != "ok=false hooks are run again by another order already: wait until that has ended" {
		t.Errorf("a second order: %q", again)
	}
	s.end(spawn.Outcome{}, nil)
	s.end(spawn.Outcome{}, nil)
	s.check(t, "hook-run state=master program=/hooks/any result=exited with status 0",
		"start /hooks/master LVSD_STATE=master LVSD_FORMER_STATE=master",
		"hook-run state=master program=/hooks/master asserted=order result=exited with status 0",
		"start /hooks/any LVSD_STATE=master LVSD_FORMER_STATE=master")
	for _, want := range []string{"LVSD_ASSERTED=order", "LVSD_REASON=nothing has changed, and alice (uid 1000) has ordered it"} {
		if !slices.Contains(s.begun[4].Env, want) {
			t.Errorf("%s is not in %q", want, s.begun[4].Env)
		}
	}
	if *got != "none" {
		t.Errorf("answered before the end: %q", *got)
	}
	s.end(spawn.Outcome{}, errors.New("/hooks/any does not exist"))
	if want := "ok=false not all hooks have succeeded\nweb master run master exited with status 0\nweb any run master /hooks/any does not exist"; *got != want {
		t.Errorf("answer %q, want %q", *got, want)
	}
	if again := *s.order("inside"); again != "ok=true " {
		t.Errorf("of a router without hooks: %q", again)
	}
}

func TestAnOrderThatIsOvertakenOrTakesTooLong(t *testing.T) {
	s := newStage(on("any"))
	if got := *s.order(); got != "ok=true " {
		t.Errorf("before anything was heard: %q", got)
	}
	s.become(vrrp.Backup, vrrp.Master, vrrp.BecameMaster)
	s.end(spawn.Outcome{}, nil)
	got := s.order("web")
	s.become(vrrp.Master, vrrp.Backup, vrrp.BecameBackup)
	s.end(spawn.Outcome{Canceled: true}, nil)
	if want := "ok=false not all hooks have succeeded\nweb any overtaken master "; *got != want {
		t.Errorf("answer %q, want %q", *got, want)
	}
	s.end(spawn.Outcome{}, nil)
	got = s.order("web")
	s.pass(patience)
	if want := "ok=false not all hooks have succeeded\nweb any running backup "; *got != want {
		t.Errorf("answer %q, want %q", *got, want)
	}
	s.do(s.Configure(s.now, nil, nil))
	s.do(s.Finish(s.now))
	if got := *s.order(); got != "ok=true " {
		t.Errorf("after the end: %q", got)
	}
}

// The name of a sync group is that of its routers, too, but not the other way round.
func TestTheNamesOfAnOrder(t *testing.T) {
	s := newStage()
	all := []config.Hook{on("any"), on("any"), on("any"), on("any")}
	all[1].Router, all[2].Router, all[3].Router, all[3].Group = "inside", "alone", "", "nat"
	s.do(s.Configure(s.now, []vrrp.Config{{Name: "web", SyncGroup: "nat"}, {Name: "inside", SyncGroup: "nat"}, {Name: "alone"}}, all))
	for _, name := range []string{"web", "inside", "alone"} {
		st := status(vrrp.Master)
		st.Name = name
		s.do(s.Take(s.now, []*vrrp.Status{new(st)}, nil))
	}
	drain := func() {
		for len(s.begun) > 0 {
			s.end(spawn.Outcome{}, nil)
		}
	}
	drain()
	for names, want := range map[string]string{"": "alone inside web nat", "nat": "inside web nat", "web": "web", "alone inside": "alone inside"} {
		got := s.order(strings.Fields(names)...)
		drain()
		var of []string
		for _, line := range strings.Split(*got, "\n")[1:] {
			of = append(of, strings.Fields(line)[0])
		}
		if strings.Join(of, " ") != want {
			t.Errorf("%q: %q, want %s", names, of, want)
		}
	}
}

// Whatever comes in whatever order, one program of a router runs at a time, no run is for
// a state that has passed, and every order is answered.
func TestAssertionsNeverMeetAnotherRun(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 0))
		s := newStage(asserted("any"), asserted("master"))
		now, orders, answers := vrrp.Initialize, 0, 0
		for range 60 {
			switch r.IntN(5) {
			case 0:
				to := []vrrp.State{vrrp.Backup, vrrp.Master}[r.IntN(2)]
				s.become(now, to, map[vrrp.State]string{vrrp.Backup: vrrp.BecameBackup, vrrp.Master: vrrp.BecameMaster}[to])
				now = to
			case 1:
				orders++
				s.do(s.Assert(s.now, nil, api.User{}, func(api.Ordered) { answers++ }))
			case 2:
				s.pass(time.Duration(r.IntN(int(time.Minute))))
			default:
				s.end(spawn.Outcome{Status: r.IntN(2)}, nil)
			}
			if len(s.begun) > 1 {
				t.Fatalf("seed %d: two run at once", seed)
			}
			for _, line := range s.seen {
				if strings.HasPrefix(line, "start") && !strings.Contains(line, "LVSD_STATE="+strings.ToLower(string(now))) {
					t.Fatalf("seed %d: %s in %s", seed, line, now)
				}
			}
			s.seen = nil
		}
		s.do(s.Finish(s.now))
		for len(s.begun) > 0 {
			s.end(spawn.Outcome{}, nil)
		}
		if orders != answers {
			t.Fatalf("seed %d: %d orders, %d answers", seed, orders, answers)
		}
	}
}
