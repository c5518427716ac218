package director

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/machine"
	"github.com/lvsd/lvsd/ipvsctl"
	"github.com/lvsd/lvsd/vrrp"
)

// quiet is a cluster of two services with two servers each, whose checks have another
// interval while they are idle, and of which the first server is one of both. A third one
// has no such interval.
func quiet() *config.Config {
	c := farm(3, false, nil)
	s := c.Services[0]
	second, third := s, s
	second.Name, second.Key.Port = "mail", 25
	third.Name, third.Key.Port = "plain", 99
	pace := checker.Pace{Idle: checker.In(time.Minute), Rise: 2, Fall: 3}
	all := slices.Clone(s.Servers)
	for i := range all {
		all[i].Checks = slices.Clone(all[i].Checks)
		all[i].Checks[0].Target.Pace = pace
	}
	c.Services[0].Servers = all[:2]
	second.Servers = []config.Server{all[0], all[2]}
	c.Services = append(c.Services, second, third)
	return c
}

// packets tells how many packets have come for the first and the second service.
func (s *story) packets(web, mail uint64) {
	services := s.core.config.Services
	s.handle(TableSeen{Converged: true, Packets: map[ipvsctl.ServiceKey]uint64{services[0].Key: web, services[1].Key: mail}})
	s.wait(tick)
}

// "A thousand services of which hardly any is used at night are probed as if all were."
func TestTargetsOfServicesWithoutTrafficAreIdle(t *testing.T) {
	s := tellOf(t, quiet())
	s.packets(0, 0)
	want := func(when string, idle string) {
		t.Helper()
		if got := strings.Join(s.idle, " "); got != idle {
			t.Errorf("%s, %q are idle, want %q", when, got, idle)
		}
	}
	want("at first", "")
	for i := range 58 {
		s.packets(0, uint64(i))
	}
	want("after less than a minute", "")
	for i := range 5 {
		s.packets(0, uint64(100+i))
	}
	want("a target that two services have is not, while one of them is busy", "192.168.1.2")
	if st := s.core.Status(s.now, Edges{}); !st.Services[0].Idle || st.Services[1].Idle || st.Services[2].Idle {
		t.Error("the status tells otherwise")
	}
	for range 61 {
		s.packets(0, 104)
	}
	want("both have had none for a minute", "192.168.1.1 192.168.1.2 192.168.1.1 192.168.1.3")
	s.packets(1, 104)
	want("one packet has come", "192.168.1.3")
	for range 61 {
		s.packets(1, 104)
	}
	s.handle(RoutersSeen{{Name: "outside", State: vrrp.Backup}})
	want("a Backup gets none", "192.168.1.1 192.168.1.2 192.168.1.1 192.168.1.3")
	s.handle(RoutersSeen{{Name: "outside", State: vrrp.Master}})
	want("a new Master will get some", "")
	for range 61 {
		s.packets(1, 104)
	}
	s.handle(RoutersSeen{{Name: "outside", State: vrrp.Master}})
	want("and is idle again if it does not", "192.168.1.1 192.168.1.2 192.168.1.1 192.168.1.3")
	for range 3 { // The table could not be read.
		s.handle(TableSeen{})
		s.wait(tick)
	}
	want("nothing follows from what is not known", "192.168.1.1 192.168.1.2 192.168.1.1 192.168.1.3")
}

// Who asks idle servers twice in a minute has idle ones after half of it, and still does after
// the first packet and a lull that follows.
func TestTheShortestIdleIntervalMakesAServiceIdle(t *testing.T) {
	c := quiet()
	c.Services[1].Servers[1].Checks[0].Target.Pace.Idle = checker.In(30 * time.Second)
	c.Services[1].Servers[0].Checks[0].Target.Pace.Idle = checker.In(40 * time.Second)
	s := tellOf(t, c)
	busy := uint64(0)
	for i, step := range []struct {
		seconds int
		idle    bool
	}{{29, false}, {2, true}, {29, false}, {2, true}} {
		for range step.seconds {
			busy++
			s.packets(busy, uint64(i/2))
		}
		if st := s.core.Status(s.now, Edges{}).Services; st[1].Idle != step.idle || st[0].Idle {
			t.Errorf("step %d: %v and %v are idle, want false and %v", i, st[0].Idle, st[1].Idle, step.idle)
		}
	}
}

// One that has just been configured has not been idle since the year 1.
func TestAServiceOfOneServerIsBusyAtFirst(t *testing.T) {
	c := farm(1, false, nil)
	c.Services[0].Servers[0].Checks[0].Target.Pace = checker.Pace{Idle: checker.In(time.Minute), Rise: 1, Fall: 1}
	s := tellOf(t, c)
	s.wait(tick)
	s.handle(TableSeen{Converged: true, Packets: map[ipvsctl.ServiceKey]uint64{c.Services[0].Key: 0}})
	if s.core.Status(s.now, Edges{}).Services[0].Idle {
		t.Error("it is idle at once")
	}
}

// A reload changes nothing for services that stay, and new ones have just been busy.
func TestAReloadLeavesLulls(t *testing.T) {
	s := tellOf(t, quiet())
	for range 62 {
		s.packets(5, 5)
	}
	next := quiet()
	next.Services[1].Key.Port = 26
	s.idle = nil
	s.handle(Reload{})
	s.handle(ReadingEnded{Number: 1, Loaded: Loaded{Config: next}})
	if got := strings.Join(s.idle, " "); got != "192.168.1.2" {
		t.Errorf("%q are idle after the reload", got)
	}
}

// Nothing is counted that nobody needs.
func TestPacketsAreCountedWhereAServiceMayBeIdle(t *testing.T) {
	for _, tt := range []struct {
		config *config.Config
		want   bool
	}{{quiet(), true}, {farm(2, false, nil), false}} {
		var set []SetTable
		core, effects := Begin(start, "/etc/lvsd", Loaded{Config: tt.config, Found: ipvsctl.Table{}}, machine.Facts{})
		for _, e := range effects {
			if table, ok := e.(SetTable); ok {
				set = append(set, table)
			}
		}
		if len(set) != 1 || set[0].Packets != tt.want || (core.lulls != nil) != tt.want {
			t.Errorf("%d tables were set, packets are counted: %v", len(set), !tt.want)
		}
	}
}
