package director

import (
	"slices"
	"testing"
	"time"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/ipvsctl"
	"github.com/lvsd/lvsd/vrrp"
)

func TestAMasterTellsOfAllConnections(t *testing.T) {
	c := synced(ipvsctl.NAT)
	c.Director.Sync.Refresh, c.Director.Sync.Rate = 10*time.Second, 1000
	s := tellOf(t, c)
	s.handle(RoutersSeen{{Name: "outside", State: vrrp.Backup}})
	if s.telling != nil {
		t.Error("a Backup tells")
	}
	s.handle(RoutersSeen{{Name: "outside", State: vrrp.Master}})
	if got := s.telling; got == nil || got.Every != 10*time.Second || got.Rate != 1000 || got.Daemon.String() != asConfigured || len(got.Table) != 1 {
		t.Errorf("a Master tells %+v", got)
	}
	s.handle(RoutersSeen{{Name: "outside", State: vrrp.Backup}})
	if s.telling != nil {
		t.Error("a Backup goes on")
	}
	c.Director.Sync.Refresh = 0
	s = tellOf(t, c)
	s.handle(RoutersSeen{{Name: "outside", State: vrrp.Master}})
	if s.telling != nil {
		t.Error("it was left to the kernel")
	}
}

func TestADirectorThatReturnsDoesNotPreemptBeforeItKnowsAllConnections(t *testing.T) {
	c := synced(ipvsctl.NAT)
	c.Director.Sync.Refresh = 10 * time.Second
	c.Routers = []vrrp.Config{{Name: "outside", SyncGroup: "nat", Preempt: true}, {Name: "inside", SyncGroup: "nat", Preempt: true}, {Name: "else", Preempt: true}}
	s := tellOf(t, c)
	preempts := func(what string, want ...bool) {
		t.Helper()
		for i, r := range s.desired.Routers {
			if r.Preempt != want[i] {
				t.Errorf("%s: %s preempts: %v", what, r.Name, r.Preempt)
			}
		}
	}
	s.handle(RoutersSeen{{Name: "outside", State: vrrp.Backup}})
	preempts("at the start", false, false, true)
	learning := func() bool {
		return slices.ContainsFunc(s.core.Status(s.now, Edges{}).Findings, func(f api.Finding) bool { return f.Code == "learning-connections" })
	}
	if !learning() {
		t.Error("the status does not say why")
	}
	s.wait(18 * time.Second)
	preempts("before two rounds are over", false, false, true)
	s.wait(4 * time.Second)
	preempts("then", true, true, true)
	if learning() {
		t.Error("it is still a finding")
	}
}
