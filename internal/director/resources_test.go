package director

import (
	"strings"
	"testing"
	"time"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/vrrp"
)

// ofResources are the conditions of resources that the keeper was told last.
func ofResources(effects []Effect) (all []vrrp.Condition, retried bool) {
	for _, e := range effects {
		switch e := e.(type) {
		case TellKeeper:
			all = nil
			for _, c := range e.Conditions {
				if strings.HasPrefix(c.Name, "resources of ") {
					all = append(all, c)
				}
			}
		case RetryResources:
			retried = true
		}
	}
	return all, retried
}

func TestAResourceThatDoesNotStartKeepsTheDirectorFromBeingMaster(t *testing.T) {
	c := clusterOf()
	c.Resources = []config.Resource{{Owner: config.Owner{Router: "outside"}, Kind: "mount", Name: "/srv"}, {Owner: config.Owner{Router: "outside"}, Kind: "systemd", Name: "nginx.service"}, {Owner: config.Owner{Group: "nat"}, Kind: "command", Name: "x"}}
	s := tellOf(t, c)
	name := config.Owner{Router: "outside"}.ResourceCondition()
	told, _ := ofResources(s.core.Handle(s.now, ResourcesBarred{name: "/srv could not be started"}))
	want := []vrrp.Condition{{Name: name, Reason: "/srv could not be started", Tracked: true}, {Name: config.Owner{Group: "nat"}.ResourceCondition(), OK: true, Tracked: true}}
	if len(told) != 2 || told[0] != want[0] || told[1] != want[1] {
		t.Errorf("told %+v, want %+v", told, want)
	}
	var outcome api.Ordered
	effects := s.core.Handle(s.now, Resume{Asker: func(o api.Ordered) { outcome = o }})
	if _, retried := ofResources(effects); !retried {
		t.Errorf("lvsd resume does %+v", effects)
	}
	for _, e := range effects {
		if e, ok := e.(Conclude); ok {
			e.Asker(e.Outcome)
		}
	}
	if len(outcome.Ended) != 1 || outcome.Ended[0] != "the fault that /srv could not be started" {
		t.Errorf("outcome %+v", outcome)
	}
	if told, _ = ofResources(s.core.Handle(s.now, ResourcesBarred{})); len(told) != 2 || !told[0].OK {
		t.Errorf("told %+v", told)
	}
}

func TestResourcesThatCouldNotBeStartedOrStoppedAreFindings(t *testing.T) {
	r := api.Resource{Kind: "mount", Name: "/srv", State: api.ResourceStopped}
	find := func() string {
		s := &api.Status{Ready: true, Keeper: api.Keeper{PID: 7}, Routers: []api.Router{{Name: "web", Resources: []api.Resource{r}}},
			SyncGroups: []api.SyncGroup{{Name: "nat", Resources: []api.Resource{r}}}}
		var all findings
		for i := range s.Routers {
			all.resources("virtual router", s.Routers[i].Resources)
		}
		all.groups(s)
		var codes []string
		for _, f := range all {
			codes = append(codes, f.Code)
		}
		return strings.Join(codes, " ")
	}
	if got := find(); got != "" {
		t.Errorf("one that has stopped: %s", got)
	}
	r.Failure = "exited with status 32"
	if got := find(); got != "resource-failed resource-failed" {
		t.Errorf("one that could not be started: %s", got)
	}
	r.State = api.ResourceStuck
	if got := find(); got != "resource-stuck resource-stuck" {
		t.Errorf("one that could not be stopped: %s", got)
	}
}

// The hand-over waits until the resources have stopped.
func TestAStopWaitsForResources(t *testing.T) {
	c := clusterOf()
	c.Routers[0].Leave.Timeout = time.Minute
	s := tellOf(t, c)
	for _, e := range s.core.Handle(s.now, Stop{}) {
		if h, ok := e.(HandOver); ok {
			if h.Limit < 70*time.Second {
				t.Errorf("it has %v", h.Limit)
			}
			return
		}
	}
	t.Error("it does not hand over")
}
