package director

import (
	"slices"
	"strings"
	"testing"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/machine"
	"github.com/lvsd/lvsd/ipvsctl"
)

// The kernel does not tell that it passes a server over, and clients would be
// refused for as long as nobody knows.
func TestAServerIsFullAsTheKernelCountsIt(t *testing.T) {
	type look struct{ active, inactive, total int }
	for _, tt := range []struct {
		name         string
		upper, lower uint32
		looks        []look
		want         string // f: full, r: has room
	}{
		{"from its upper threshold on", 100, 50, []look{{99, 0, 99}, {100, 0, 100}, {120, 0, 120}}, "rff"},
		{"those that have ended count until they are forgotten", 100, 50, []look{{10, 89, 99}, {10, 90, 100}}, "rf"},
		{"until it has fewer than its lower one", 100, 50, []look{{100, 0, 100}, {60, 0, 100}, {50, 0, 100}, {49, 0, 100}, {60, 0, 111}}, "fffrr"},
		{"or than three quarters of the upper", 100, 0, []look{{100, 0, 100}, {75, 0, 100}, {74, 0, 100}}, "ffr"},
		{"it was full between two looks", 100, 50, []look{{90, 0, 90}, {95, 0, 100}, {96, 0, 101}}, "rff"},
		{"what came long ago is not here any more", 100, 50, []look{{90, 0, 9000}, {95, 0, 9009}}, "rr"},
		{"it was added again, and counts from zero", 100, 50, []look{{90, 0, 9000}, {50, 0, 9}}, "rr"},
	} {
		var l load
		got := ""
		for _, k := range tt.looks {
			l = l.next(ipvsctl.Destination{Upper: tt.upper, Lower: tt.lower},
				ipvsctl.Counters{Active: uint32(k.active), Inactive: uint32(k.inactive), Connections: uint64(k.total)})
			got += map[bool]string{true: "f", false: "r"}[l.full]
		}
		if got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
	l := load{}.next(ipvsctl.Destination{Upper: 100}, ipvsctl.Counters{Active: 100, Connections: 100})
	if l.next(ipvsctl.Destination{Upper: 120}, ipvsctl.Counters{Active: 100, Connections: 100}).full {
		t.Error("its threshold was raised, and it is full")
	}
	if !l.next(ipvsctl.Destination{Upper: 90}, ipvsctl.Counters{Active: 80, Connections: 100}).full {
		t.Error("its threshold was lowered, and it has room")
	}
}

// limited is a service of two servers with a threshold of 100.
func limited(whenFull bool) config.Service {
	s := webService(ipvsctl.NAT, web1, web2)
	for i := range s.Servers {
		s.Servers[i].Destination.Upper = 100
	}
	s.Fallback.WhenFull = whenFull
	return s
}

// count tells of the connections of the two servers.
func (s *story) count(first, second int) {
	s.Helper()
	of := func(i, n int) ipvsctl.Row[ipvsctl.Counters] {
		return ipvsctl.Row[ipvsctl.Counters]{Key: s.core.config.Services[0].Servers[i].Key,
			Value: ipvsctl.Counters{Active: uint32(n), Connections: uint64(n)}}
	}
	s.handle(Counted{s.core.config.Services[0].Key: {of(0, first), of(1, second)}})
	s.lines = nil
	s.wait(tick)
}

func TestAllServersAtTheirThresholdsIsAFindingAndTheFallbackMayServe(t *testing.T) {
	const (
		servers = "192.168.1.4:80=3 192.168.1.5:80=2"
		lost    = `level=WARN msg="virtual service has no real server left" event=service-unserved service=web address="tcp 10.13.0.200:80" fallback=true why="real servers: 2 at their upper_threshold"`
	)
	for _, tt := range []struct {
		name             string
		service          config.Service
		room, full       string // the table
		refused, serving bool
	}{
		{"without the option", limited(false), servers, servers, true, false},
		{"with the option", limited(true), "10.13.0.15:8080=0 " + servers, "10.13.0.15:8080=1 " + servers, false, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := tellOf(t, &config.Config{Services: []config.Service{tt.service}})
			if got := rowsOf(s.core.planned.Table); got != tt.room {
				t.Errorf("at first: %s, want %s", got, tt.room)
			}
			s.count(100, 99)
			if got := s.core.planned.Verdicts[0].Supply; got != api.Served {
				t.Errorf("one has room: %s", got)
			}
			s.log.Reset()
			s.count(100, 100)
			s.wantLog("both are full", lost)
			if got := rowsOf(s.core.planned.Table); got != tt.full {
				t.Errorf("both are full: %s, want %s", got, tt.full)
			}
			v := s.core.planned.Verdicts[0]
			if v.Supply != api.Unserved || v.Reason() != Full {
				t.Errorf("both are full: %s, %q", v.Supply, v.Reason())
			}
			st := s.core.Status(s.now, Edges{Table: ipvsctl.Snapshot{Table: s.core.planned.Table}})
			i := slices.IndexFunc(st.Findings, func(f api.Finding) bool { return f.Subject == "full" })
			if i < 0 || (st.Findings[i].Severity == api.Error) != tt.refused || st.Findings[i].Remedy == "" ||
				!strings.Contains(st.Findings[i].Text, "every real server that is up has reached its upper_threshold") {
				t.Errorf("findings %+v", st.Findings)
			}
			if !st.Services[0].Servers[0].Full || st.Services[0].FallbackServes() != tt.serving {
				t.Errorf("status %+v", st.Services[0])
			}
			s.count(74, 100)
			if got := rowsOf(s.core.planned.Table); got != tt.room {
				t.Errorf("one has room again: %s, want %s", got, tt.room)
			}
		})
	}
}

// A client that is remembered would stay with a fallback of weight 0.
func TestWithPersistenceTheFallbackLeavesWhenServersHaveRoom(t *testing.T) {
	service := limited(true)
	service.Service.Flags |= ipvsctl.Persistent
	s := tellOf(t, &config.Config{Services: []config.Service{service}})
	if got := rowsOf(s.core.planned.Table); strings.Contains(got, "8080") {
		t.Errorf("the table has %s", got)
	}
}

func TestAFullServerStaysFullThroughAReload(t *testing.T) {
	s := tellOf(t, &config.Config{Services: []config.Service{limited(true)}})
	s.count(100, 100)
	s.handle(MachineSeen{Facts: machine.Facts{Forward4: true}})
	other := limited(true)
	other.Servers[0].Destination.Weight = 7
	s.handle(Reload{})
	s.handle(ReadingEnded{Number: s.core.reload.number, Loaded: Loaded{Config: &config.Config{Services: []config.Service{other}}}})
	if got := s.core.planned.Verdicts[0].Reason(); got != Full {
		t.Errorf("after a reload: %q, want %q", got, Full)
	}
	s.handle(Reload{})
	s.handle(ReadingEnded{Number: s.core.reload.number, Loaded: Loaded{Config: &config.Config{Services: []config.Service{checked(tcpTarget)}}}})
	if len(s.core.loads) != 0 {
		t.Errorf("of servers without thresholds is known %v", s.core.loads)
	}
}

func TestAServerThatIsDownIsNotFull(t *testing.T) {
	service := limited(false)
	weights := []Weight{weigh(start, &service.Servers[0], config.Policy{}, Standing{State: checker.Up, Full: true}, nil), weigh(start, &service.Servers[1], config.Policy{}, Standing{State: checker.Down, Full: true}, nil)}
	v := judge([]checker.State{checker.Up, checker.Down}, weights, false)
	if v.why() != "real servers: 1 at their upper_threshold, 1 down" || v.Reason() != Full {
		t.Errorf("%s, %q", v.why(), v.Reason())
	}
}

// "I set its weight to 0 for the maintenance, and status said that it was full."
func TestAServerOfWeightZeroIsDrainedHoweverManyConnectionsItHas(t *testing.T) {
	service := limited(false)
	service.Servers[0].Destination.Weight = 0
	s := tellOf(t, &config.Config{Services: []config.Service{service}})
	s.count(100, 99)
	servers := s.core.Status(s.now, Edges{Table: ipvsctl.Snapshot{Table: s.core.planned.Table}}).Services[0].Servers
	if servers[0].Full || !servers[0].Drained {
		t.Errorf("weight 0: full %v, drained %v", servers[0].Full, servers[0].Drained)
	}
	if servers[1].Full || servers[1].Drained {
		t.Errorf("one with room: full %v, drained %v", servers[1].Full, servers[1].Drained)
	}
	s.count(100, 100)
	if got, want := s.core.planned.Verdicts[0].why(), "real servers: 1 at their upper_threshold, 1 with weight 0"; got != want {
		t.Errorf("the log says %q, want %q", got, want)
	}
}

func TestTheTableIsSetOnlyWhenAServerIsFullOrNotAnyMore(t *testing.T) {
	s := tellOf(t, &config.Config{Services: []config.Service{limited(false)}})
	s.count(100, 99)
	s.want("the first one is full", "table: 192.168.1.4:80=3 192.168.1.5:80=2")
	s.count(101, 99)
	s.want("it still is")
	s.count(74, 99)
	s.want("it has room", "table: 192.168.1.4:80=3 192.168.1.5:80=2")
}
