package director

import (
	"math"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/ipvsctl"
)

// What the checks of a server say together is the least of it, in any order.
func TestWhatChecksLeaveOfAWeight(t *testing.T) {
	percent := func(n uint16) checker.Advice { return checker.Advice{Weight: n, Measure: checker.Percent} }
	absolute := func(n uint16) checker.Advice { return checker.Advice{Weight: n, Measure: checker.Absolute} }
	for _, tt := range []struct {
		name       string
		configured uint32
		say        []checker.Advice
		want       uint32
	}{
		{"nothing is said", 8, nil, 8},
		{"nothing, by several", 8, []checker.Advice{{}, {}}, 8},
		{"half of it", 8, []checker.Advice{percent(50)}, 4},
		{"all of it", 8, []checker.Advice{percent(100)}, 8},
		{"a share is rounded down", 8, []checker.Advice{percent(99)}, 7},
		{"but not to 0", 8, []checker.Advice{percent(1)}, 1},
		{"of 1, too", 1, []checker.Advice{percent(1)}, 1},
		{"0% is none", 8, []checker.Advice{percent(0)}, 0},
		{"the least share counts", 8, []checker.Advice{percent(75), percent(25), percent(50)}, 2},
		{"the least share is 0", 8, []checker.Advice{percent(75), percent(0), percent(50)}, 0},
		{"the greatest weight there is", math.MaxInt32, []checker.Advice{percent(100)}, math.MaxInt32},
		{"a share of it", math.MaxInt32, []checker.Advice{percent(50)}, math.MaxInt32 / 2},
		{"another weight", 8, []checker.Advice{absolute(40)}, 40},
		{"which is 0", 8, []checker.Advice{absolute(0)}, 0},
		{"the least of several", 8, []checker.Advice{absolute(40), absolute(3), absolute(9)}, 3},
		{"the least of which is 0", 8, []checker.Advice{absolute(40), absolute(0), absolute(9)}, 0},
		{"a share of another weight", 8, []checker.Advice{percent(50), absolute(40)}, 20},
		{"a share of none is none", 8, []checker.Advice{absolute(0), percent(50)}, 0},
		{"ready changes nothing", 8, []checker.Advice{{Mode: checker.Ready}}, 8},
		{"one drains it", 8, []checker.Advice{{Mode: checker.Ready}, {Mode: checker.Drain}, absolute(40)}, 0},
		{"drained by the configuration", 0, []checker.Advice{absolute(40)}, 0},
	} {
		for turn := range max(1, len(tt.say)) {
			var all advised
			for i := range tt.say {
				all.add(tt.say[(turn+i)%len(tt.say)])
			}
			if got := all.weight(tt.configured); got != tt.want {
				t.Errorf("%s, from the check %d on: %d, want %d", tt.name, turn, got, tt.want)
			}
		}
	}
	var all advised
	for _, mode := range []checker.Mode{checker.Ready, checker.Maintenance, checker.Drain} {
		all.add(checker.Advice{Mode: mode})
	}
	if all.mode != checker.Maintenance {
		t.Errorf("mode %d, want maintenance", all.mode)
	}
}

// tell tells of a result of the only check of the first server.
func (s *story) tell(r checker.Result) {
	s.Helper()
	r.At = s.now
	s.handle(Probed{{s.core.config.Services[0].Servers[0].Checks[0].Target, r}})
	s.wait(time.Second)
}

// "The script was killed once by its timeout, and the weight grew from check to check"
// (keepalived #2720).
func TestTheWeightIsAFunctionOfTheNewestResult(t *testing.T) {
	config := farm(2, false, nil)
	for i := range config.Services[0].Servers {
		config.Services[0].Servers[i].Destination.Weight = 10
	}
	s := tellOf(t, config)
	s.play([]rounds{{"pp", 2, "1*10 2*10"}})
	weight := func(n uint16) checker.Result {
		return checker.Result{Outcome: checker.Passed, Advice: checker.Advice{Weight: n, Measure: checker.Absolute}}
	}
	failed := checker.Result{Outcome: checker.Failed, Detail: "/bin/load did not end within 1s"}
	for _, step := range []struct {
		name   string
		result checker.Result
		want   string
	}{
		{"a weight", weight(40), "1*40 2*10"},
		{"the same", weight(40), "1*40 2*10"},
		{"less", weight(1), "1 2*10"},
		{"none drains it", weight(0), "1*0 2*10"},
		{"a weight again", weight(40), "1*40 2*10"},
		{"a failure alone changes nothing", failed, "1*40 2*10"},
		{"nor do two", failed, "1*40 2*10"},
		{"three remove it", failed, "2*10"},
		{"it is coming up", weight(5), "2*10"},
		{"it is up", weight(5), "1*5 2*10"},
		{"not run: as it was", checker.Result{Outcome: checker.NotRun}, "1*5 2*10"},
		{"nothing is said", checker.Result{Outcome: checker.Passed}, "1*10 2*10"},
	} {
		s.tell(step.result)
		if got := s.serving(); got != step.want {
			t.Errorf("%s: %q serve, want %q", step.name, got, step.want)
		}
	}
}

// A server of which a check says maint leaves the table, and is no outage that needs
// to be explained by its health.
func TestMaintenanceAndDrain(t *testing.T) {
	s := tellOf(t, farm(1, false, nil))
	mode := func(m checker.Mode) checker.Result {
		return checker.Result{Outcome: checker.Passed, Advice: checker.Advice{Mode: m}}
	}
	s.play([]rounds{{"p", 2, "1"}})
	for _, step := range []struct {
		mode checker.Mode
		want string
		why  string
	}{
		{checker.Drain, "1*0 F", "real servers: 1 with weight 0"},
		{checker.Maintenance, "F", "real servers: 1 in maintenance"},
		{checker.Ready, "1", ""},
	} {
		s.tell(mode(step.mode))
		s.tell(mode(step.mode))
		v := s.core.planned.Verdicts[0]
		if got := s.serving(); got != step.want || step.why != "" && (v.why() != step.why || v.Reason() != Drained) {
			t.Errorf("mode %d: %q serve, want %q; %s (%s), want %s", step.mode, got, step.want, v.why(), v.Reason(), step.why)
		}
	}
}

// With on_failure = "drain", a server that fails keeps its row and is as much of an
// outage as one that has none.
func TestAServerThatFailsIsDrained(t *testing.T) {
	config := farm(2, false, nil)
	config.Services[0].Servers[0].DrainOnFailure = true
	s := tellOf(t, config)
	s.play([]rounds{{"rp", 1, "1*0 2"}, {"pp", 2, "1 2"}, {"rp", 3, "1*0 2"}, {"pp", 2, "1 2"}, {"rr", 3, "1*0 F"}})
	if v := s.core.planned.Verdicts[0]; v.why() != "real servers: 2 down" || v.Reason() != NoneUp {
		t.Errorf("%s (%s), want both down", v.why(), v.Reason())
	}
}

// A start adopts a weight that a check has given, until the check gives another one.
func TestAWeightThatIsFoundIsAdopted(t *testing.T) {
	for _, tt := range []struct {
		name  string
		spec  checker.Spec
		found uint32
		want  string
	}{
		{"its check gives weights", checker.SpecOf(checker.Exec{Run: []string{"/bin/load"}, StatusWeight: true}), 3, "1*3"},
		{"its check gives none", "tcp", 3, "1*10"},
		{"it was drained", checker.SpecOf(checker.File{Path: "/run/load", Weight: checker.Percent}), 0, "1*0 F"},
		{"the greatest that a check can give", checker.SpecOf(checker.File{Path: "/run/load", Weight: checker.Absolute}), 10_000, "1*10000"},
		{"more than a check can give", checker.SpecOf(checker.File{Path: "/run/load", Weight: checker.Absolute}), 10_001, "1*10"},
	} {
		config := farm(1, false, nil)
		server := &config.Services[0].Servers[0]
		server.Destination.Weight, server.Checks[0].Target.Spec = 10, tt.spec
		row := server.Destination
		row.Weight = tt.found
		s := tellOf(t, config)
		s.core.healths = Healths{}
		s.core.healths.Configure(s.now, config.Services, ipvsctl.Table{config.Services[0].Key: {
			Service: config.Services[0].Service, Destinations: ipvsctl.RowsOf([]ipvsctl.Row[ipvsctl.Destination]{{Key: server.Key, Value: row}})}})
		s.core.outdated = true
		s.wait(time.Second)
		if got := s.serving(); got != tt.want {
			t.Errorf("%s: %q serve, want %q", tt.name, got, tt.want)
		}
		s.tell(checker.Result{Outcome: checker.Passed})
		if got := s.serving(); tt.found > 0 && got != "1*10" {
			t.Errorf("%s: after its first result %q serve, want the configured weight", tt.name, got)
		}
	}
}

// One that is down has no say, unless it only fell silent: what was said before the
// network failed still holds.
func TestWhoseAdviceCounts(t *testing.T) {
	half := checker.Result{Outcome: checker.Passed, Advice: checker.Advice{Weight: 50, Measure: checker.Percent}}
	for _, tt := range []struct {
		name string
		last checker.Result
		want uint32
	}{
		{"it is up", half, 4},
		{"it failed", checker.Result{Outcome: checker.Failed}, 8},
		{"it is silent", checker.Result{Outcome: checker.Failed, Silent: true}, 4},
	} {
		h := checker.NewHealth(checker.Unknown)
		for _, r := range []checker.Result{half, tt.last} {
			h.Observe(start, r, checker.Rules{Rise: 1, Fall: 1})
		}
		if got := advice([]checker.Health{checker.NewHealth(checker.Up), h}).weight(8); got != tt.want {
			t.Errorf("%s: weight %d, want %d", tt.name, got, tt.want)
		}
	}

}

// A program or a file says nothing of the network, so it does not keep this director from
// noticing that it is cut off.
func TestProgramsAndFilesDoNotCountForIsolation(t *testing.T) {
	config := farm(2, true, nil)
	for i := range config.Services[0].Servers {
		server := &config.Services[0].Servers[i]
		local := server.Checks[0]
		local.Target.Spec, local.Target.Addr, local.Target.Port = checker.SpecOf(checker.File{Path: "/run/load"}), netip.Addr{}, 0
		server.Checks = append(server.Checks, local)
	}
	s := tellOf(t, config)
	passed := checker.Result{Outcome: checker.Passed, At: s.now}
	s.handle(Probed{{config.Services[0].Servers[0].Checks[1].Target, passed}})
	s.play([]rounds{{"pp", 2, "1 2"}, {"ss", 6, "1 2"}})
	if !s.core.isolated || s.core.healths.targets != 2 {
		t.Errorf("isolated: %v, of %d targets; want true, of 2", s.core.isolated, s.core.healths.targets)
	}
	one := farm(1, true, nil)
	local := one.Services[0].Servers[0].Checks[0]
	local.Target.Spec, local.Target.Addr = checker.SpecOf(checker.File{Path: "/run/load"}), netip.Addr{}
	one.Services[0].Servers[0].Checks = append(one.Services[0].Servers[0].Checks, local)
	s = tellOf(t, one)
	s.handle(Probed{{local.Target, passed}})
	s.play([]rounds{{"p", 2, "1"}, {"s", 6, "F"}})
}

// What an agent demands is told once, and a weight, which may change with each probe, not
// at all.
func TestWhatAnAgentDemandsIsToldOnce(t *testing.T) {
	s := tellOf(t, farm(1, false, nil))
	var told []string
	for _, a := range []checker.Advice{{}, {Mode: checker.Ready}, {Mode: checker.Drain}, {Mode: checker.Drain}, {Mode: checker.Drain, Weight: 50, Measure: checker.Percent},
		{Mode: checker.Maintenance}, {Mode: checker.Ready, Weight: 1, Measure: checker.Percent}, {}} {
		r := checker.Result{Outcome: checker.Passed, Advice: a, At: s.now}
		for _, e := range s.core.Handle(s.now, Probed{{s.core.config.Services[0].Servers[0].Checks[0].Target, r}}) {
			if tell, ok := e.(Tell); ok && tell.Code == "server-directed" {
				told = append(told, tell.Text)
			}
		}
		s.now = s.now.Add(time.Second)
	}
	want := []string{
		"a check demands that the real server gets no new connections",
		"a check demands that the real server is out of the table",
		"a check no longer demands that the real server gets no connections",
	}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
