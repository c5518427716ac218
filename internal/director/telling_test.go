package director

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/machine"
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

// returning is a director that has just started, and would preempt.
func returning(t *testing.T) *story {
	c := synced(ipvsctl.NAT)
	c.Director.Sync.Refresh = 10 * time.Second
	c.Routers = []vrrp.Config{{Name: "outside", Preempt: true}}
	s := tellOf(t, c)
	s.handle(RoutersSeen{{Name: "outside", State: vrrp.Backup}})
	return s
}

func TestWhenItHasHeardAWholeRoundItPreempts(t *testing.T) {
	s := returning(t)
	if s.listened != 0 {
		t.Error("it listens before its kernel does")
	}
	facts := machine.Facts{Settings: map[machine.Setting]string{machine.SyncMaster: "", machine.SyncBackup: asConfigured + " maxlen=1472"}}
	for range 3 {
		s.handle(MachineSeen{Facts: facts})
	}
	if s.listened != 1 {
		t.Errorf("it has begun to listen %d times", s.listened)
	}
	s.wait(time.Second)
	s.handle(RoundHeard{})
	if s.desired.Routers[0].Preempt {
		t.Error("it preempts at the beginning of a round")
	}
	s.handle(RoundHeard{Whole: true})
	if !s.desired.Routers[0].Preempt {
		t.Error("it has been told of all, and does not preempt")
	}
}

func TestARoundThatTakesLongIsWaitedFor(t *testing.T) {
	s := returning(t)
	s.wait(15 * time.Second)
	s.handle(RoundHeard{})
	s.wait(60 * time.Second)
	if s.desired.Routers[0].Preempt {
		t.Error("it preempts in the middle of a round")
	}
	s.wait(30 * time.Second)
	if !s.desired.Routers[0].Preempt {
		t.Error("it waits for ever")
	}
}

func TestWhereNothingCanBeHeardTwoRoundsAreWaitedFor(t *testing.T) {
	s := returning(t)
	s.handle(RoundHeard{Err: errors.New("address in use")})
	s.wait(19 * time.Second)
	if s.desired.Routers[0].Preempt {
		t.Error("it preempts")
	}
	s.wait(2 * time.Second)
	if !s.desired.Routers[0].Preempt {
		t.Error("it waits for ever")
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
