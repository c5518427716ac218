package resource

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/vrrp"
)

// A stage is a Core with a clock, and a record of what it wants.
type stage struct {
	Core
	now  time.Time
	seen []string
	// begun are the runs that have not ended, in their order.
	begun []Run
}

var pair = []vrrp.Config{{Name: "web"}}

func newStage(resources ...config.Resource) *stage {
	s := &stage{now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	s.do(s.Configure(s.now, pair, resources))
	return s
}

// of are commands of the router "web", with a status each.
func of(names ...string) (all []config.Resource) {
	for _, n := range names {
		all = append(all, config.Resource{Owner: config.Owner{Router: "web"}, Kind: "command", Name: n, Start: []string{"/start", n}, Stop: []string{"/stop", n}, Status: []string{"/status", n}})
	}
	return all
}

// blind are the same without a status.
func blind(names ...string) []config.Resource {
	all := of(names...)
	for i := range all {
		all[i].Status = nil
	}
	return all
}

func (s *stage) do(effects []Effect) {
	for _, e := range effects {
		switch e := e.(type) {
		case Run:
			s.begun = append(s.begun, e)
			s.seen = append(s.seen, fmt.Sprintf("%s %s", e.Action, e.Resource.Name))
		case Answer:
			s.seen = append(s.seen, fmt.Sprintf("answer %s %d %v %s", e.Router, e.Number, e.OK, e.Text))
		case Tell:
			s.seen = append(s.seen, e.Code)
		}
	}
}

func (s *stage) hear(st vrrp.Status) {
	st.Name = "web"
	s.now = s.now.Add(time.Second)
	s.do(s.Take(s.now, []*vrrp.Status{new(st)}, nil))
}

var (
	master   = vrrp.Status{State: vrrp.Master}
	backup   = vrrp.Status{State: vrrp.Backup}
	follows  = vrrp.Status{State: vrrp.Backup, Master: netip.MustParseAddr("10.13.0.16")}
	offering = vrrp.Status{State: vrrp.Master, Phase: vrrp.Offering}
	leaving  = vrrp.Status{State: vrrp.Master, Question: vrrp.Question{Number: 7, Step: vrrp.Leave}}
	entering = vrrp.Status{State: vrrp.Backup, Question: vrrp.Question{Number: 8, Step: vrrp.Enter}}
)

// end ends what was begun first.
func (s *stage) end(r Result) {
	s.now = s.now.Add(time.Second)
	e := s.begun[0]
	s.begun = s.begun[1:]
	s.do(s.Ended(s.now, e.ID, r))
}

var (
	well  = Result{OK: true}
	runs  = Result{OK: true, Runs: true}
	badly = Result{Text: "exited with status 1"}
)

// settle ends all that is begun: looks find nothing running, and all else goes well.
func (s *stage) settle() {
	for len(s.begun) > 0 {
		s.end(well)
	}
}

func (s *stage) check(t *testing.T, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, s.seen); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	s.seen = nil
}

func (s *stage) resources() []api.Resource {
	routers, _ := s.Statuses()
	return routers["web"]
}

func (s *stage) states() string {
	var all []string
	for _, r := range s.resources() {
		all = append(all, r.Name+" "+string(r.State))
	}
	return strings.Join(all, ", ")
}

func TestResourcesStartInOrderAndStopInReverse(t *testing.T) {
	s := newStage(of("disk", "database", "web")...)
	s.check(t)
	s.hear(master)
	s.settle()
	s.check(t, "look disk", "start disk", "resource-started", "look database", "start database", "resource-started", "look web", "start web", "resource-started")
	if got := s.states(); got != "disk running, database running, web running" {
		t.Error(got)
	}
	s.hear(follows)
	s.settle()
	s.check(t, "stop web", "resource-stopped", "stop database", "resource-stopped", "stop disk", "resource-stopped")
	if got := s.states(); got != "disk stopped, database stopped, web stopped" {
		t.Error(got)
	}
}

// "Two mounts of one disk destroy it."
func TestAMasterThatLeavesIsAnsweredWhenAllHasStopped(t *testing.T) {
	s := newStage(blind("disk", "web")...)
	s.hear(master)
	s.settle()
	s.seen = nil
	s.hear(leaving)
	s.check(t, "stop web")
	s.hear(leaving)
	s.end(well)
	s.check(t, "resource-stopped", "stop disk")
	s.end(well)
	s.check(t, "resource-stopped", "answer web 7 true ")
	s.hear(leaving) // which came late
	s.hear(offering)
	s.check(t)
	s.hear(master) // Nobody took over.
	s.settle()
	s.check(t, "start disk", "resource-started", "start web", "resource-started")
}

func TestTheStepsOfOthersAreNotAnswered(t *testing.T) {
	s := newStage(blind("disk")...)
	s.hear(entering)
	s.check(t)
}

func TestARouterWithoutResourcesThatAsksIsAnswered(t *testing.T) {
	s := newStage()
	s.hear(leaving)
	s.check(t, "answer web 7 true ")
}

func TestOneThatDoesNotStartLeavesTheDirectorInFault(t *testing.T) {
	s := newStage(blind("disk", "database", "web")...)
	s.hear(master)
	s.end(well)
	s.seen = nil
	s.end(badly)
	s.check(t, "resource-failed", "stop web") // which an earlier process may have started
	s.end(well)
	s.check(t, "resource-stopped", "stop database")
	want := map[string]string{config.Owner{Router: "web"}.ResourceCondition(): `resource "command" "database" could not be started: exited with status 1`}
	if diff := cmp.Diff(want, s.Barred()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	s.hear(leaving)
	s.settle()
	s.check(t, "resource-stopped", "stop disk", "resource-stopped", "answer web 7 true ")
	s.hear(backup)
	s.hear(master)
	s.check(t)
	barred, effects := s.Retry(s.now)
	if s.do(effects); len(barred) != 1 || len(s.Barred()) != 0 {
		t.Errorf("barred %q", barred)
	}
	s.settle()
	s.check(t, "start disk", "resource-started", "start database", "resource-started", "start web", "resource-started")
}

// What cannot be stopped must not keep the rest from being stopped.
func TestOneThatDoesNotStopIsToldLoudlyAndTriedAgain(t *testing.T) {
	s := newStage(blind("disk", "web")...)
	s.hear(master)
	s.settle()
	s.hear(leaving)
	s.seen = nil
	s.end(badly)
	s.check(t, "resource-stuck", "stop disk")
	s.end(well)
	s.check(t, "resource-stopped", `answer web 7 false resource "command" "web" could not be stopped: exited with status 1`)
	if got := s.states(); got != "disk stopped, web stuck" {
		t.Error(got)
	}
	s.hear(follows)
	if at := s.Deadline(); at.Sub(s.now) > tryAgain || at.IsZero() {
		t.Errorf("it is tried again at %v", at)
	}
	s.now = s.Deadline()
	s.do(s.Expire(s.now))
	s.check(t, "stop web")
	s.end(well)
	s.check(t, "resource-stopped")
	if !s.Deadline().IsZero() || s.states() != "disk stopped, web stopped" {
		t.Error(s.states())
	}
}

// After a crash of lvsd, nothing is started twice.
func TestWhatRunsIsAdopted(t *testing.T) {
	s := newStage(of("disk", "web")...)
	s.hear(backup) // Nobody is Master yet.
	s.check(t)
	s.hear(master)
	s.end(runs)
	s.end(well)
	s.check(t, "look disk", "resource-adopted", "look web", "start web")
}

// As Heartbeat does.
func TestWhatRunsIsStoppedWhereAnotherDirectorIsMaster(t *testing.T) {
	s := newStage(of("disk", "web")...)
	s.hear(follows)
	s.end(runs)
	s.end(well)
	s.end(well)
	s.check(t, "look web", "stop web", "resource-stopped", "look disk")
	if got := s.states(); got != "disk stopped, web stopped" {
		t.Error(got)
	}
}

func TestWhatCannotBeLookedAtIsStartedOrStopped(t *testing.T) {
	s := newStage(of("disk")...)
	s.hear(master)
	s.end(badly)
	s.check(t, "look disk", "start disk")
}

func TestTheNewestStateWins(t *testing.T) {
	s := newStage(blind("disk", "web")...)
	s.hear(master)
	s.hear(follows)
	s.hear(master)
	s.hear(follows)
	s.check(t, "start disk")
	s.end(well)
	s.check(t, "resource-started", "stop web") // which an earlier process may have started
	s.end(well)
	s.check(t, "resource-stopped", "stop disk")
}

func TestALostLinkStopsThemAtOnce(t *testing.T) {
	s := newStage(blind("disk")...)
	s.hear(master)
	s.settle()
	s.seen = nil
	s.do(s.Take(s.now, []*vrrp.Status{{Name: "web", State: vrrp.Initialize, Phase: vrrp.Waiting, Fault: "interface eth0 is down", Since: s.now}},
		[]vrrp.Event{{Code: vrrp.StoodBack, Router: "web", From: vrrp.Master, To: vrrp.Initialize}}))
	s.check(t, "stop disk")
}

func TestAKeeperThatIsStartedAgainStopsNothing(t *testing.T) {
	s := newStage(blind("disk")...)
	s.hear(master)
	s.settle()
	s.seen = nil
	s.do(s.Take(s.now, []*vrrp.Status{}, nil))
	s.hear(vrrp.Status{State: vrrp.Initialize, Phase: vrrp.Waiting, Fault: "not started yet", Since: s.now.Add(time.Second)})
	s.hear(master)
	s.check(t)
}

func TestResourcesByReload(t *testing.T) {
	s := newStage(blind("disk", "old", "web")...)
	s.hear(master)
	s.settle()
	s.seen = nil
	s.do(s.Configure(s.now, pair, blind("disk", "new", "web")))
	s.settle()
	s.check(t, "stop old", "resource-stopped", "start new", "resource-started")
	s.do(s.Configure(s.now, pair, nil))
	s.settle()
	s.check(t, "stop web", "resource-stopped", "stop new", "resource-stopped", "stop disk", "resource-stopped")
	if len(s.lists) != 0 {
		t.Error("they are not forgotten")
	}
}

// Without resources no router is followed, and the next report tells how it is.
func TestTheFirstResourcesByReload(t *testing.T) {
	s := newStage()
	s.hear(master)
	if len(s.routers) != 0 {
		t.Errorf("%d routers are followed for nothing", len(s.routers))
	}
	s.do(s.Configure(s.now, pair, blind("disk")))
	s.check(t)
	s.hear(master)
	s.check(t, "start disk")
}

func TestARouterThatIsRemovedStopsThemAndIsAnswered(t *testing.T) {
	s := newStage(blind("disk")...)
	s.hear(master)
	s.settle()
	s.seen = nil
	s.do(s.Configure(s.now, nil, nil))
	s.hear(leaving)
	s.check(t, "stop disk")
	s.end(well)
	s.check(t, "resource-stopped", "answer web 7 true ")
}

func TestTheResourcesOfAGroup(t *testing.T) {
	s := newStage()
	both := []vrrp.Config{{Name: "inside", SyncGroup: "nat"}, {Name: "web", SyncGroup: "nat"}}
	all := blind("disk", "own")
	all[0].Router, all[0].Group = "", "nat"
	s.do(s.Configure(s.now, both, all))
	inside, web := master, master
	inside.Name, web.Name = "inside", "web"
	s.do(s.Take(s.now, []*vrrp.Status{new(inside)}, nil))
	s.check(t)
	s.do(s.Take(s.now, []*vrrp.Status{new(inside), new(web)}, nil))
	s.settle()
	s.check(t, "start own", "start disk", "resource-started", "resource-started")
	inside, web = leaving, leaving
	inside.Name, web.Name = "inside", "web"
	s.do(s.Take(s.now, []*vrrp.Status{new(inside), new(web)}, nil))
	s.end(well)
	s.check(t, "stop own", "stop disk", "resource-stopped")
	s.end(well)
	s.check(t, "resource-stopped", "answer inside 7 true ")
}

func TestTheEndStopsThem(t *testing.T) {
	s := newStage(blind("disk")...)
	s.do(s.Finish(s.now))
	s.check(t)
	s.hear(master)
	s.do(s.Finish(s.now))
	if s.Idle() {
		t.Error("it is idle while one is started")
	}
	s.settle()
	s.check(t, "start disk", "resource-started", "stop disk", "resource-stopped")
	if !s.Idle() {
		t.Error("it is not idle")
	}
}

func TestStatesOfAResource(t *testing.T) {
	s := newStage(blind("disk")...)
	for _, c := range []struct {
		do   func()
		want api.ResourceState
	}{
		{func() {}, api.ResourceUnknown},
		{func() { s.hear(master) }, api.ResourceStarting},
		{func() { s.end(well) }, api.ResourceRunning},
		{func() { s.hear(follows) }, api.ResourceStopping},
		{func() { s.end(badly) }, api.ResourceStuck},
	} {
		c.do()
		if got := s.resources()[0].State; got != c.want {
			t.Errorf("%s, want %s", got, c.want)
		}
	}
	if r := s.resources()[0]; r.Failure != "exited with status 1" || r.Runs != 2 || r.Failures != 1 {
		t.Errorf("it was started or stopped %d times, which failed %d times: %q", r.Runs, r.Failures, r.Failure)
	}
}
