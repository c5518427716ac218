package director

import (
	"fmt"
	"net/netip"
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

// pinging is a condition about n addresses.
func pinging(n, minimum int) config.Condition {
	c := config.Condition{Name: "ping outside", Minimum: minimum}
	for i := range n {
		c.Checks = append(c.Checks, config.Check{Rise: 1, Fall: 1, Target: checker.Target{
			Spec: checker.SpecOf(checker.Ping{OwnRoute: true}), Addr: netip.AddrFrom4([4]byte{10, 13, 0, byte(1 + i)}), Interval: time.Second, Timeout: time.Second}})
	}
	return c
}

func TestAConditionOfSeveralAddresses(t *testing.T) {
	for _, tt := range []struct {
		name    string
		n, min  int
		results string // of each address: passed, failed, not run, none
		want    string
	}{
		{"one that answers", 1, 1, "P", "met"},
		{"one that does not", 1, 1, "F", "10.13.0.1: timeout"},
		{"one that was not asked yet", 1, 1, "-", "unknown"},
		{"one that cannot be asked", 1, 1, "N", "unknown"},
		{"one of three is enough", 3, 1, "FPF", "met"},
		{"none of three", 3, 1, "FFF", "0 of 3 answer, and 1 must; 10.13.0.1: timeout"},
		{"one of three, of which two must", 3, 2, "PFF", "1 of 3 answer, and 2 must; 10.13.0.2: timeout"},
		{"the others decide", 3, 2, "PF-", "unknown"},
		{"they do not any more", 3, 2, "F-F", "0 of 3 answer, and 2 must; 10.13.0.1: timeout"},
		{"nor here", 3, 2, "P-P", "met"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var w watch
			w.configure(&config.Config{Conditions: []config.Condition{pinging(tt.n, tt.min)}})
			observeAll(&w, start, tt.results)
			if got := sayings(w.judge(nil, nil)); got != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
		})
	}
}

// observeAll gives the checks of the first condition a result each.
func observeAll(w *watch, now time.Time, results string) {
	for i, r := range results {
		result := map[rune]checker.Result{'P': {Outcome: checker.Passed}, 'F': {Outcome: checker.Failed, Detail: "timeout"}, 'N': {Outcome: checker.NotRun, Detail: "no socket"}}[r]
		if result.Outcome != 0 {
			w.observe(now, w.conditions[0].Checks[i].Target, result)
		}
	}
}

func sayings(all []vrrp.Condition) string {
	var lines []string
	for _, c := range all {
		switch {
		case c.Unknown:
			lines = append(lines, "unknown")
		case c.OK:
			lines = append(lines, "met")
		default:
			lines = append(lines, c.Reason)
		}
	}
	return strings.Join(lines, "\n")
}

// "One of our directors lost the switch to half of the servers, and stayed Master."
func TestAConditionAboutAService(t *testing.T) {
	for _, tt := range []struct {
		name    string
		minimum int
		percent bool
		states  []checker.State
		zero    int // the last ones have weight 0
		want    string
	}{
		{"enough", 2, false, []checker.State{checker.Up, checker.Up, checker.Down}, 0, "met"},
		{"too few", 2, false, []checker.State{checker.Up, checker.Down, checker.Down}, 0, `1 of 3 real servers of virtual service "web" is up, and 2 must be`},
		{"not known yet", 2, false, []checker.State{checker.Up, checker.Unknown, checker.Down}, 0, "unknown"},
		{"half of three is two", 50, true, []checker.State{checker.Up, checker.Down, checker.Down}, 0, `1 of 3 real servers of virtual service "web" is up, and 50% must be`},
		{"half of four", 50, true, []checker.State{checker.Up, checker.Up, checker.Down, checker.Down}, 0, "met"},
		{"all", 100, true, []checker.State{checker.Up, checker.Up, checker.Down}, 0, `2 of 3 real servers of virtual service "web" are up, and 100% must be`},
		{"those that are drained do not count", 100, true, []checker.State{checker.Up, checker.Up, checker.Down}, 1, "met"},
		{"where none counts, none is up", 1, true, []checker.State{checker.Up}, 1, `0 of 0 real servers of virtual service "web" are up, and 1% must be`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := config.Service{Name: "web"}
			for i := range tt.states {
				server := config.Server{Name: fmt.Sprint(i), Checks: make([]config.Check, 1)}
				server.Key.Port = uint16(i)
				server.Checks[0].Target.Port = uint16(i)
				if i < len(tt.states)-tt.zero {
					server.Destination.Weight = 1
				}
				s.Servers = append(s.Servers, server)
			}
			c := &config.Config{Services: []config.Service{{Name: "mail"}, s}, Conditions: []config.Condition{{Name: "service web", Service: "web", Minimum: tt.minimum, Percent: tt.percent}}}
			var h Healths
			h.Configure(start, c.Services, nil)
			for i, state := range tt.states {
				outcome := map[checker.State]checker.Outcome{checker.Up: checker.Passed, checker.Down: checker.Failed, checker.Unknown: checker.NotRun}[state]
				h.Observe(start, s.Servers[i].Checks[0].Target, checker.Result{Outcome: outcome})
			}
			var w watch
			w.configure(c)
			if got := sayings(w.judge(&h, nil)); got != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
		})
	}
}

// A reload forgets nothing of what it does not change, and a condition that is new
// makes nobody stand back before it had a result.
func TestAReloadKeepsWhatIsKnownOfConditions(t *testing.T) {
	var w watch
	w.configure(&config.Config{Conditions: []config.Condition{pinging(2, 2)}})
	observeAll(&w, start, "FP")
	next := pinging(3, 2)
	other := next
	other.Name = "ping other"
	w.configure(&config.Config{Conditions: []config.Condition{other, next}})
	if got := sayings(w.judge(nil, nil)); got != "unknown\nunknown" || w.unheard() != 2 {
		t.Errorf("%s, %d unheard", got, w.unheard())
	}
	observeAll(&w, start, "--P")
	if got := sayings(w.judge(nil, nil)); got != "met\nmet" || w.unheard() != 0 {
		t.Errorf("%s, %d unheard", got, w.unheard())
	}
}

// A condition has its result before the director is ready, and the keeper is told of
// each change, once, and so is the log.
// "I made the interval of the ping shorter, one echo was lost, and the director let go."
func TestAReloadOfAConditionIsNoFirstResult(t *testing.T) {
	shorter := pinging(1, 1)
	shorter.Checks[0].Target.Interval, shorter.Checks[0].Rise, shorter.Checks[0].Fall = time.Second/2, 2, 3
	for _, tt := range []struct{ before, after, want string }{
		{"P", "", "met"},
		{"P", "FF", "met"},
		{"P", "FFF", "10.13.0.1: timeout"},
		{"F", "", "10.13.0.1: there was no other result since the reload"},
		{"F", "P", "10.13.0.1: there was no other result since the reload"},
		{"F", "PP", "met"},
		{"N", "F", "10.13.0.1: timeout"},
	} {
		var w watch
		w.configure(&config.Config{Conditions: []config.Condition{pinging(1, 1)}})
		observeAll(&w, start, tt.before)
		w.judged = w.judge(nil, nil)
		w.configure(&config.Config{Conditions: []config.Condition{shorter}})
		for _, r := range tt.after {
			observeAll(&w, start, string(r))
		}
		if got := sayings(w.judge(nil, nil)); got != tt.want {
			t.Errorf("%s and then %q: %s, want %s", tt.before, tt.after, got, tt.want)
		}
	}
}

func TestTheKeeperIsToldOfConditions(t *testing.T) {
	c := &config.Config{Director: config.Director{StartDelay: 10 * time.Second}, Routers: []vrrp.Config{{Name: "outside"}}, Conditions: []config.Condition{pinging(1, 1)}}
	var told []string
	note := func(effects []Effect) {
		for _, e := range effects {
			switch e := e.(type) {
			case TellKeeper:
				told = append(told, fmt.Sprintf("keeper: ready %v, %s", e.Conditions[0].OK, sayings(e.Conditions[1:])))
			case Tell:
				if strings.HasPrefix(e.Code, "condition-") {
					told = append(told, e.Code)
				}
			}
		}
	}
	core, effects := Begin(start, "/etc/lvsd", Loaded{Config: c, Found: ipvsctl.Table{}}, machine.Facts{})
	note(effects)
	note(core.Handle(start, TableSeen{Converged: true}))
	at := start
	for _, outcome := range []checker.Outcome{checker.Passed, checker.Passed, checker.NotRun, checker.Failed, checker.Failed, checker.Passed} {
		at = at.Add(time.Second)
		note(core.Handle(at, Probed{{c.Conditions[0].Checks[0].Target, checker.Result{At: at, Outcome: outcome, Detail: "timeout"}}}))
	}
	want := []string{"keeper: ready false, unknown", "keeper: ready false, met", "keeper: ready true, met",
		"condition-unmet", "keeper: ready true, 10.13.0.1: timeout", "condition-met", "keeper: ready true, met"}
	if !slices.Equal(told, want) {
		t.Errorf("told\n%s\nwant\n%s", strings.Join(told, "\n"), strings.Join(want, "\n"))
	}
}

// The number in a file is worth what its weight says, as long as it is there.
func TestAConditionThatIsANumber(t *testing.T) {
	var w watch
	c := pinging(1, 1)
	c.Counts = true
	w.configure(&config.Config{Conditions: []config.Condition{c}})
	target := c.Checks[0].Target
	for _, tt := range []struct {
		result checker.Result
		want   vrrp.Condition
	}{
		{checker.Result{}, vrrp.Condition{Unknown: true}},
		{checker.Result{Outcome: checker.Passed, Number: 3}, vrrp.Condition{OK: true, Number: 3}},
		{checker.Result{Outcome: checker.Passed, Number: -20}, vrrp.Condition{OK: true, Number: -20}},
		{checker.Result{Outcome: checker.NotRun}, vrrp.Condition{OK: true, Number: -20}},
		{checker.Result{Outcome: checker.Failed, Detail: "there is no file"}, vrrp.Condition{Reason: "10.13.0.1: there is no file"}},
		{checker.Result{Outcome: checker.Passed}, vrrp.Condition{OK: true}},
	} {
		before := w.judge(nil, nil)
		changed := tt.result.Outcome != 0 && w.observe(start, target, tt.result)
		tt.want.Name, tt.want.Tracked, tt.want.Counts = c.Name, true, true
		got := w.judge(nil, nil)
		if got[0] != tt.want || changed != (got[0] != before[0]) {
			t.Errorf("after %+v: %+v, want %+v; changed: %v", tt.result, got[0], tt.want, changed)
		}
	}
}

// A condition that cannot be watched is told after a while, and changes nothing.
func TestAConditionThatCannotBeWatchedIsAFinding(t *testing.T) {
	var w watch
	w.configure(&config.Config{Conditions: []config.Condition{pinging(1, 1)}})
	observeAll(&w, start, "N")
	for _, tt := range []struct {
		after time.Duration
		want  string
	}{
		{9 * time.Second, ""},
		{10 * time.Second, "ping outside cannot be watched, so it counts as met: 10.13.0.1: no socket"},
	} {
		var all findings
		all.watches(start.Add(tt.after), &w)
		got := ""
		if len(all) > 0 {
			got = all[0].Text
		}
		if got != tt.want {
			t.Errorf("after %v: %q, want %q", tt.after, got, tt.want)
		}
	}
}

// A service that has a min_healthy of its own is judged by it, as the table is.
func TestTheOwnConditionOfAService(t *testing.T) {
	policed := &config.Policy{MinHealthy: config.Quantity{N: 2}}
	for _, tt := range []struct {
		name   string
		own    bool
		policy *config.Policy
		below  bool
		want   vrrp.Condition
	}{
		{"enough take connections", true, policed, false, vrrp.Condition{OK: true}},
		{"too few take connections", true, policed, true, vrrp.Condition{Reason: `fewer real servers of virtual service "web" take connections than its min_healthy`}},
		{"it has no min_healthy", true, nil, false, vrrp.Condition{Reason: `0 of 0 real servers of virtual service "web" are up, and 1 must be`}},
		{"the condition has a minimum of its own", false, policed, false, vrrp.Condition{Reason: `0 of 0 real servers of virtual service "web" are up, and 1 must be`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := &config.Config{Services: []config.Service{{Name: "web", Policy: tt.policy}},
				Conditions: []config.Condition{{Name: "service web", Service: "web", Own: tt.own, Minimum: 1}}}
			var h Healths
			h.Configure(start, c.Services, nil)
			var w watch
			w.configure(c)
			tt.want.Name, tt.want.Tracked = "service web", true
			if got := w.judge(&h, func(int) bool { return tt.below }); !slices.Equal(got, []vrrp.Condition{tt.want}) {
				t.Errorf("%+v, want %+v", got, tt.want)
			}
		})
	}
}

// The routers wait for the first result of each check, of servers and of conditions alike.
func TestTheStartWaitsForConditionsToo(t *testing.T) {
	c := clusterOf(checked(tcpTarget))
	c.Conditions = []config.Condition{pinging(1, 1)}
	s := tellOf(t, c)
	s.handle(TableSeen{Converged: true})
	if n := s.core.unheard(); n != 2 || s.core.ready {
		t.Errorf("%d were not heard of, ready %t; want 2 and false", n, s.core.ready)
	}
	s.handle(Probed{{c.Conditions[0].Checks[0].Target, checker.Result{At: s.now, Outcome: checker.Passed}}})
	if n := s.core.unheard(); n != 1 || s.core.ready {
		t.Errorf("%d were not heard of, ready %t; want 1 and false", n, s.core.ready)
	}
	s.hear(checker.Passed)
	s.handle(TableSeen{Converged: true})
	if n := s.core.unheard(); n != 0 || !s.core.ready {
		t.Errorf("%d were not heard of, ready %t; want 0 and true", n, s.core.ready)
	}
}
