package hook

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/spawn"
	"github.com/lvsd/lvsd/vrrp"
)

// A stage is a Core with a clock, and a record of what it wants.
type stage struct {
	Core
	now  time.Time
	seen []string
	// begun are the commands that were begun and have not ended, by their number.
	begun map[uint64]spawn.Command
}

func newStage(hooks ...config.Hook) *stage {
	s := &stage{now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), begun: map[uint64]spawn.Command{}}
	s.do(s.Configure(s.now, routers("web"), hooks))
	return s
}

func routers(names ...string) (all []vrrp.Config) {
	for _, n := range names {
		all = append(all, vrrp.Config{Name: n})
	}
	return all
}

// on is a hook of the router "web" whose program is named after it.
func on(state string) config.Hook {
	return config.Hook{Owner: config.Owner{Router: "web"}, On: state, Program: config.Program{Run: []string{"/hooks/" + state}, Timeout: time.Second}}
}

func (s *stage) do(effects []Effect) {
	for _, e := range effects {
		switch e := e.(type) {
		case Start:
			s.begun[e.ID] = e.Command
			s.seen = append(s.seen, fmt.Sprintf("start %s %s", e.Command.Args[0], strings.Join(e.Command.Env[2:4], " ")))
		case Cancel:
			s.seen = append(s.seen, "end "+s.begun[e.ID].Args[0])
		case Conclude:
			e.Asker(e.Outcome)
		case Tell:
			line := e.Code
			for _, a := range e.Attributes {
				if a.Key != "router" && a.Key != "took" {
					line += fmt.Sprintf(" %s=%v", a.Key, a.Value)
				}
			}
			s.seen = append(s.seen, line)
		}
	}
}

func status(state vrrp.State) vrrp.Status {
	return vrrp.Status{Name: "web", State: state, Interface: "eth0", Priority: 120, Addresses: []netip.Prefix{netip.MustParsePrefix("10.13.0.200/24"), netip.MustParsePrefix("192.168.1.254/24")}}
}

// become is a report of the keeper with a change of the state.
func (s *stage) statuses() []api.Hook {
	return s.Statuses()[config.Owner{Router: "web"}]
}

func (s *stage) become(from, to vrrp.State, code string) {
	s.now = s.now.Add(time.Second)
	s.do(s.Take(s.now, []*vrrp.Status{new(status(to))}, []vrrp.Event{{Code: code, Router: "web", From: from, To: to, Text: "because"}}))
}

// end ends what runs, with a status.
func (s *stage) end(o spawn.Outcome, err error) {
	s.now = s.now.Add(time.Second)
	for id := range s.begun {
		delete(s.begun, id)
		s.do(s.Ended(s.now, id, o, err))
		return
	}
}

func (s *stage) check(t *testing.T, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, s.seen); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	s.seen = nil
}

func TestHooksRunOneAfterTheOtherInTheirOrder(t *testing.T) {
	s := newStage(on("any"), on("backup"), on("master"))
	s.become(vrrp.Initialize, vrrp.Backup, vrrp.BecameBackup)
	s.check(t, "start /hooks/any LVSD_STATE=backup LVSD_FORMER_STATE=")
	s.end(spawn.Outcome{}, nil)
	s.check(t, "hook-run state=backup program=/hooks/any result=exited with status 0", "start /hooks/backup LVSD_STATE=backup LVSD_FORMER_STATE=")
	s.end(spawn.Outcome{}, nil)
	s.check(t, "hook-run state=backup program=/hooks/backup result=exited with status 0")
	s.become(vrrp.Backup, vrrp.Master, vrrp.BecameMaster)
	s.check(t, "start /hooks/any LVSD_STATE=master LVSD_FORMER_STATE=backup")
	s.end(spawn.Outcome{}, nil)
	s.end(spawn.Outcome{}, nil)
	s.check(t, "hook-run state=master program=/hooks/any result=exited with status 0", "start /hooks/master LVSD_STATE=master LVSD_FORMER_STATE=backup",
		"hook-run state=master program=/hooks/master result=exited with status 0")
}

func TestTheNewestStateWinsWhereTheyPileUp(t *testing.T) {
	s := newStage(on("any"))
	s.become(vrrp.Initialize, vrrp.Backup, vrrp.BecameBackup)
	s.seen = nil
	s.become(vrrp.Backup, vrrp.Master, vrrp.BecameMaster)
	s.become(vrrp.Master, vrrp.Backup, vrrp.BecameBackup)
	s.become(vrrp.Backup, vrrp.Master, vrrp.BecameMaster)
	s.check(t, "hook-skipped skipped=[master] state=backup", "hook-skipped skipped=[backup] state=master")
	s.end(spawn.Outcome{}, nil)
	// It was Backup in between, and its peer Master, whose hooks may have moved something.
	s.check(t, "hook-run state=backup program=/hooks/any result=exited with status 0", "start /hooks/any LVSD_STATE=master LVSD_FORMER_STATE=backup")
}

func TestWhatAHookIsTold(t *testing.T) {
	s := newStage(on("master"))
	s.become(vrrp.Backup, vrrp.Master, vrrp.BecameMaster)
	want := []string{"LVSD_ROUTER=web", "LVSD_GROUP=", "LVSD_STATE=master", "LVSD_FORMER_STATE=", "LVSD_ASSERTED=", "LVSD_REASON=because", "LVSD_PRIORITY=120", "LVSD_INTERFACE=eth0", "LVSD_ADDRESSES=10.13.0.200/24 192.168.1.254/24"}
	if diff := cmp.Diff(want, s.begun[1].Env); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// standby is one that alice has ordered.
var standby = api.Standby{By: api.User{UID: 1000, Name: "alice"}}

// An operator's standby is no fault, also where it was ordered before this start, and
// ends without one.
func TestAStandbyRunsTheBackupHooks(t *testing.T) {
	waiting := status(vrrp.Initialize)
	waiting.Phase, waiting.Fault = vrrp.Waiting, standby.Reason()
	waiting.Conditions = []vrrp.Judged{{Name: "operator", Hard: true, Reason: waiting.Fault}}
	broken := vrrp.Event{Code: vrrp.CannotStart, Router: "web", From: vrrp.Initialize, To: vrrp.Initialize, Text: "cannot start: interface eth1 is down"}
	forced := vrrp.Event{Code: vrrp.StoodBack, Router: "web", From: vrrp.Master, To: vrrp.Initialize, Text: waiting.Fault}
	for _, c := range []struct {
		name   string
		from   vrrp.State
		events []vrrp.Event
		want   []string
	}{
		{"a Master, by force", vrrp.Master, []vrrp.Event{forced}, []string{"start /hooks/any LVSD_STATE=backup LVSD_FORMER_STATE=master"}},
		{"a Master, and the event was lost", vrrp.Master, nil, []string{"start /hooks/any LVSD_STATE=backup LVSD_FORMER_STATE=master"}},
		{"a Backup stays one", vrrp.Backup, []vrrp.Event{{Code: vrrp.StoodBack, Router: "web", From: vrrp.Backup, To: vrrp.Initialize, Text: waiting.Fault}}, nil},
		{"ordered before this start", vrrp.Initialize, nil, []string{"start /hooks/any LVSD_STATE=backup LVSD_FORMER_STATE="}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStage(on("any"))
			s.do(s.Take(s.now, []*vrrp.Status{new(status(c.from))}, nil))
			s.end(spawn.Outcome{}, nil)
			s.seen = nil
			waiting.Since = s.now
			s.do(s.Take(s.now.Add(lasting+1), []*vrrp.Status{new(waiting)}, c.events))
			s.check(t, c.want...)
			for _, command := range s.begun {
				if !slices.Contains(command.Env, "LVSD_REASON=standby, ordered by alice (uid 1000)") {
					t.Errorf("told %q", command.Env)
				}
			}
			s.end(spawn.Outcome{}, nil)
			s.seen = nil
			s.become(vrrp.Initialize, vrrp.Backup, vrrp.BecameBackup) // by resume
			s.check(t)
			s.do(s.Take(s.now, nil, []vrrp.Event{broken}))
			s.check(t, "start /hooks/any LVSD_STATE=fault LVSD_FORMER_STATE=backup")
		})
	}
}

func TestStatesThatEventsTell(t *testing.T) {
	for _, c := range []struct {
		e    vrrp.Event
		want string
	}{
		{vrrp.Event{Code: vrrp.BecameMaster, From: vrrp.Backup, To: vrrp.Master}, "master"},
		{vrrp.Event{Code: vrrp.BecameBackup, From: vrrp.Master, To: vrrp.Backup}, "backup"},
		{vrrp.Event{Code: vrrp.StoodBack, From: vrrp.Master, To: vrrp.Initialize}, "fault"},
		{vrrp.Event{Code: vrrp.StoodBack, From: vrrp.Master, To: vrrp.Initialize, Text: standby.Reason()}, "backup"},
		{vrrp.Event{Code: vrrp.CannotStart, From: vrrp.Initialize, To: vrrp.Initialize}, "fault"},
		{vrrp.Event{Code: vrrp.StoppedRouter, From: vrrp.Backup, To: vrrp.Initialize}, "stop"},
		{vrrp.Event{Code: vrrp.Stalled, From: vrrp.Master, To: vrrp.Master}, ""},
	} {
		if got := stateAfter(c.e); got != c.want {
			t.Errorf("%v: %q, want %q", c.e, got, c.want)
		}
	}
}

func TestAnEventThatFoundNoRoomIsMadeUpForByTheStatus(t *testing.T) {
	s := newStage(on("any"))
	s.do(s.Take(s.now, []*vrrp.Status{new(status(vrrp.Master))}, nil))
	s.check(t, "start /hooks/any LVSD_STATE=master LVSD_FORMER_STATE=")
	s.end(spawn.Outcome{}, nil)
	s.seen = nil
	fault := status(vrrp.Initialize)
	fault.Phase, fault.Fault, fault.Since = vrrp.Waiting, "interface eth1 is down", s.now
	s.do(s.Take(s.now.Add(time.Second), []*vrrp.Status{new(fault)}, nil))
	s.check(t)
	s.do(s.Take(s.now.Add(lasting+time.Second), []*vrrp.Status{new(fault)}, nil))
	s.check(t, "start /hooks/any LVSD_STATE=fault LVSD_FORMER_STATE=master")
}

func TestTheNotifyScriptIsToldOfAFaultFromTheStart(t *testing.T) {
	const told = "start /hooks/any LVSD_STATE=fault LVSD_FORMER_STATE="
	unmet := func(name string) []vrrp.Judged { return []vrrp.Judged{{Name: name, Hard: true, Reason: "because"}} }
	for _, c := range []struct {
		name       string
		conditions []vrrp.Judged
		after      time.Duration
		want       []string
	}{
		{"a program that it tracks fails from the start", unmet("program link"), lasting + time.Second, []string{told}},
		{"it has failed for a moment only", unmet("program link"), lasting, nil},
		{"a resource cannot be started", unmet(config.Owner{Router: "web"}.ResourceCondition()), lasting + time.Second, []string{told}},
		{"the first IPVS table is still loaded", unmet(config.TableCondition), starting, nil},
		{"the kernel has no IPVS, so the table is never loaded", unmet(config.TableCondition), starting + time.Second, []string{told}},
		{"nothing is wrong, it has not started yet", nil, time.Hour, nil},
		{"only a weight is lost", []vrrp.Judged{{Name: "program link", Weight: -10, Reason: "because"}}, time.Hour, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStage(on("any"))
			waiting := status(vrrp.Initialize)
			waiting.Phase, waiting.Fault, waiting.Since, waiting.Conditions = vrrp.Waiting, "because", s.now, c.conditions
			s.do(s.Take(s.now.Add(c.after), []*vrrp.Status{new(waiting)}, nil))
			s.check(t, c.want...)
			s.do(s.Take(s.now.Add(c.after), []*vrrp.Status{new(waiting)}, nil))
			s.check(t)
		})
	}
}

func TestAKeeperThatIsStartedAgainRepeatsNothing(t *testing.T) {
	s := newStage(on("any"))
	s.become(vrrp.Backup, vrrp.Master, vrrp.BecameMaster)
	s.end(spawn.Outcome{}, nil)
	s.seen = nil
	s.do(s.Take(s.now, []*vrrp.Status{}, nil))
	s.do(s.Take(s.now, []*vrrp.Status{new(status(vrrp.Initialize))}, nil))
	s.become(vrrp.Initialize, vrrp.Master, vrrp.BecameMaster)
	s.check(t)
}

func TestHooksByReload(t *testing.T) {
	s := newStage(on("master"))
	s.become(vrrp.Backup, vrrp.Master, vrrp.BecameMaster)
	s.end(spawn.Outcome{}, nil)
	s.seen = nil
	s.do(s.Configure(s.now, routers("web"), []config.Hook{on("master"), on("backup")}))
	s.check(t)
	s.do(s.Configure(s.now, routers("web"), []config.Hook{on("master"), on("any")}))
	s.check(t, "start /hooks/any LVSD_STATE=master LVSD_FORMER_STATE=")
	if all := s.statuses(); len(all) != 2 || all[0].Runs != 1 || !all[1].Running {
		t.Errorf("statuses %+v", all)
	}
	s.do(s.Configure(s.now, routers("web"), nil))
	s.end(spawn.Outcome{Status: 1}, nil)
	s.check(t, "hook-failed state=master program=/hooks/any result=exited with status 1")
	s.become(vrrp.Master, vrrp.Backup, vrrp.BecameBackup)
	s.check(t)
}

// Without hooks no router is followed, but what was heard of it last counts.
func TestTheFirstHooksByReload(t *testing.T) {
	s := newStage()
	s.become(vrrp.Backup, vrrp.Master, vrrp.BecameMaster)
	if len(s.routers) != 0 {
		t.Errorf("%d routers are followed for nobody", len(s.routers))
	}
	s.do(s.Configure(s.now, routers("web"), []config.Hook{on("master"), on("backup")}))
	s.check(t, "start /hooks/master LVSD_STATE=master LVSD_FORMER_STATE=")
	if env := strings.Join(s.begun[1].Env, "\n"); !strings.Contains(env, "LVSD_REASON=the hook is new") || !strings.Contains(env, "LVSD_PRIORITY=120") {
		t.Errorf("it is told\n%s", env)
	}
	s.end(spawn.Outcome{}, nil)
	s.seen = nil
	s.become(vrrp.Master, vrrp.Backup, vrrp.BecameBackup)
	s.check(t, "start /hooks/backup LVSD_STATE=backup LVSD_FORMER_STATE=master")
}

func TestARouterThatIsRemovedStops(t *testing.T) {
	s := newStage(on("stop"), on("master"))
	s.become(vrrp.Backup, vrrp.Master, vrrp.BecameMaster)
	s.end(spawn.Outcome{}, nil)
	s.seen = nil
	s.do(s.Configure(s.now, nil, nil))
	s.check(t)
	s.do(s.Take(s.now, []*vrrp.Status{}, nil))
	s.check(t, "start /hooks/stop LVSD_STATE=stop LVSD_FORMER_STATE=master")
	s.end(spawn.Outcome{}, nil)
	if len(s.queues) != 0 {
		t.Error("it is not forgotten")
	}
}

// One that was never heard of has not stopped.
func TestARouterThatNeverRanIsForgotten(t *testing.T) {
	s := newStage(on("stop"))
	s.do(s.Configure(s.now, nil, nil))
	s.do(s.Take(s.now, []*vrrp.Status{}, nil))
	s.check(t)
	if len(s.queues) != 0 {
		t.Error("it is not forgotten")
	}
}

func TestEveryRouterStopsWithTheDaemon(t *testing.T) {
	s := newStage(on("any"))
	s.become(vrrp.Initialize, vrrp.Backup, vrrp.BecameBackup)
	s.seen = nil
	s.do(s.Finish(s.now))
	s.do(s.Take(s.now, []*vrrp.Status{new(status(vrrp.Backup))}, nil)) // which came late
	s.end(spawn.Outcome{}, nil)
	s.check(t, "hook-run state=backup program=/hooks/any result=exited with status 0", "start /hooks/any LVSD_STATE=stop LVSD_FORMER_STATE=backup")
	s.do(s.Finish(s.now))
	s.check(t)
}

func TestHowAHookHasEnded(t *testing.T) {
	for _, c := range []struct {
		o    spawn.Outcome
		err  error
		want []string
	}{
		{spawn.Outcome{Output: []byte("one\n\x1b[31mtwo\n")}, nil, []string{"hook-output state=backup program=/hooks/any", "hook-output state=backup program=/hooks/any", "hook-run state=backup program=/hooks/any result=exited with status 0"}},
		{spawn.Outcome{Signal: syscall.SIGSEGV}, nil, []string{"hook-failed state=backup program=/hooks/any result=was ended by signal 11 (segmentation fault)"}},
		{spawn.Outcome{TimedOut: true, Took: time.Second, Ended: 2}, nil, []string{"hook-failed state=backup program=/hooks/any result=was ended after 1s, which is its timeout processes_ended=2"}},
		{spawn.Outcome{}, errors.New("/hooks/any does not exist"), []string{"hook-failed state=backup program=/hooks/any result=/hooks/any does not exist"}},
	} {
		s := newStage(on("any"))
		s.become(vrrp.Initialize, vrrp.Backup, vrrp.BecameBackup)
		s.seen = nil
		s.end(c.o, c.err)
		s.check(t, c.want...)
		h := s.statuses()[0]
		if failed := strings.HasPrefix(c.want[len(c.want)-1], "hook-failed"); h.Last.OK == failed || h.Running || h.Runs != 1 || h.Failures == 0 == failed {
			t.Errorf("status %+v", h)
		}
	}
}

// Whatever happens, at most one program of a router runs, and in the end the last
// state of which there was word has been told.
func TestTheLastStateIsAlwaysTold(t *testing.T) {
	states := []vrrp.State{vrrp.Backup, vrrp.Master, vrrp.Master, vrrp.Backup, vrrp.Master}
	for bits := range 1 << 10 {
		s := newStage(on("any"))
		was := vrrp.Initialize
		for i, to := range states {
			s.become(was, to, map[vrrp.State]string{vrrp.Backup: vrrp.BecameBackup, vrrp.Master: vrrp.BecameMaster}[to])
			was = to
			if bits>>i&1 == 1 {
				s.end(spawn.Outcome{Status: bits >> 5}, nil)
			}
			if len(s.begun) > 1 {
				t.Fatalf("%b: two run", bits)
			}
		}
		for len(s.begun) > 0 {
			s.end(spawn.Outcome{}, nil)
		}
		i := slices.IndexFunc(s.seen, func(line string) bool { return strings.Contains(line, "start") })
		last := ""
		for _, line := range s.seen[i:] {
			if strings.HasPrefix(line, "start") {
				last = line
			}
		}
		if !strings.Contains(last, "LVSD_STATE=master") {
			t.Fatalf("%b: told last %q", bits, last)
		}
	}
}
