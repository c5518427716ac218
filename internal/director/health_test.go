package director

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/ipvsctl"
)

// start is when every story begins.
var start = time.Date(2026, 11, 23, 3, 0, 0, 0, time.UTC)

// tcpTarget is a TCP check of the first server.
var tcpTarget = checker.Target{Spec: checker.SpecOf(checker.TCP{}), Addr: web1, Port: 80, Interval: 2 * time.Second, Timeout: time.Second}

// checked returns a service of one server with the given checks, rise 2, fall 3.
func checked(targets ...checker.Target) config.Service {
	s := webService(ipvsctl.NAT, web1)
	for _, t := range targets {
		s.Servers[0].Checks = append(s.Servers[0].Checks, config.Check{Target: t, Rise: 2, Fall: 3})
	}
	return s
}

// tell observes results written as letters: p passed, f failed, l not run. It
// returns the state of the first server after each.
func tell(h *Healths, t checker.Target, results string) string {
	var states []string
	for i, letter := range results {
		outcome := map[rune]checker.Outcome{'p': checker.Passed, 'f': checker.Failed, 'l': checker.NotRun}[letter]
		h.Observe(start.Add(time.Duration(i)*time.Second), t, checker.Result{Outcome: outcome, Detail: "connection refused"})
		states = append(states, h.State(0, 0).String())
	}
	return strings.Join(states, " ")
}

// foundAt is a table that holds the service's server with a weight.
func foundAt(s config.Service, weight uint32) ipvsctl.Table {
	return ipvsctl.Table{s.Key: {Destinations: ipvsctl.Rows[ipvsctl.Destination]{
		{Key: s.Servers[0].Key, Value: ipvsctl.Destination{Weight: weight}},
	}}}
}

func TestHealthsFromStart(t *testing.T) {
	s := checked(tcpTarget)
	up := checked(tcpTarget)
	up.Servers[0].InitialUp = true
	drained := checked(tcpTarget)
	drained.Servers[0].Destination.Weight = 0
	for _, tt := range []struct {
		name    string
		service config.Service
		found   ipvsctl.Table
		results string
		want    string
	}{
		{"for a new one the first result decides, without rise", s, nil, "p", "up"},
		{"or without fall", s, nil, "f", "down"},
		{"later rise and fall decide", s, nil, "fppfff", "down down up up up down"},
		{"a result that was not run decides nothing", s, nil, "llp", "unknown unknown up"},
		{"initial = up puts it in at once, fall takes it out", up, nil, "fff", "up up down"},
		{"found with a weight counts as up until fall", s, foundAt(s, 1), "fff", "up up down"},
		{"found at 0 stays at 0 until rise", s, foundAt(s, 0), "pp", "drained up"},
		{"found at 0 leaves with fall", s, foundAt(s, 0), "ffpff", "drained drained drained drained drained"},
		{"found at 0 leaves with fall in a row", s, foundAt(s, 0), "fffpp", "drained drained down down up"},
		{"found at 0 as configured is up", drained, foundAt(s, 0), "p", "up"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := &Healths{}
			h.Configure(start, []config.Service{tt.service}, tt.found)
			if got := tell(h, tcpTarget, tt.results); got != tt.want {
				t.Errorf("results %q: state %q, want %q", tt.results, got, tt.want)
			}
		})
	}
}

// A server that fails and comes back every minute is up whenever somebody looks.
func TestAServersComingAndGoingIsCounted(t *testing.T) {
	s := checked(tcpTarget)
	h := &Healths{}
	h.Configure(start, []config.Service{s}, nil)
	for _, tt := range []struct {
		results string
		want    api.Transitions
	}{
		{"p", api.Transitions{}}, // the first result is no change
		{"fff", api.Transitions{ToDown: 1}},
		{"pppp", api.Transitions{ToDown: 1, ToUp: 1}},
		{"ffl", api.Transitions{ToDown: 1, ToUp: 1}},
		{"fpp", api.Transitions{ToDown: 2, ToUp: 2}},
	} {
		tell(h, tcpTarget, tt.results)
		if got := h.transitions[0]; got != tt.want {
			t.Errorf("after %s: %+v, want %+v", tt.results, got, tt.want)
		}
	}
	other := webService(ipvsctl.NAT, web1)
	other.Key.Port = 8080
	h.Configure(start, []config.Service{other, s}, nil)
	if got, want := h.transitions, []api.Transitions{{}, {ToDown: 2, ToUp: 2}}; !slices.Equal(got, want) {
		t.Errorf("after a reload: %+v, want %+v", got, want)
	}
}

// A server that is being repaired fails in one way after the other.
func TestAnotherReasonOfAServerThatIsDownIsLogged(t *testing.T) {
	const another = `level=WARN msg="real server is down for another reason" event=server-still-down service=web server=192.168.1.4 address=192.168.1.4:80 `
	s := tellOf(t, &config.Config{Services: []config.Service{checked(tcpTarget)}})
	for _, tt := range []struct {
		when, detail string
		wait         time.Duration
		want         []string
	}{
		{"it is down", "status 404", 0, []string{`level=WARN msg="real server is down" event=server-down service=web server=192.168.1.4 address=192.168.1.4:80 reason="status 404"`}},
		{"the same again", "status 404", time.Second, nil},
		{"another one", "connection refused", time.Second, []string{another + `reason="connection refused" before="status 404"`}},
		{"by turns", "status 404", time.Second, nil},
		{"by turns, and not told", "connection refused", time.Second, nil},
		{"before a minute is over", "status 500", 57 * time.Second, nil},
		{"when it is over", "status 500", time.Second, []string{another + `reason="status 500" before="connection refused"`}},
	} {
		s.wait(tt.wait)
		s.log.Reset()
		s.handle(Probed{{tcpTarget, checker.Result{Outcome: checker.Failed, Detail: tt.detail}}})
		s.wantLines(tt.when, "real server is down", tt.want...)
	}
	for range 2 {
		s.hear(checker.NotRun)
		s.hear(checker.Passed)
	}
	if n := len(s.core.healths.reasons); n != 0 {
		t.Errorf("of a server that is up, %d reasons are known", n)
	}
}

func TestAServerIsUpOnlyIfAllItsChecksPass(t *testing.T) {
	ping := tcpTarget
	ping.Spec, ping.Port = checker.SpecOf(checker.Ping{}), 0
	s := checked(tcpTarget, ping)
	h := &Healths{}
	h.Configure(start, []config.Service{s}, nil)
	if got := tell(h, tcpTarget, "p"); got != "unknown" {
		t.Errorf("one of two checks passed: %s, want unknown", got)
	}
	other := &Healths{}
	other.Configure(start, []config.Service{s}, nil)
	if got := tell(other, ping, "p"); got != "unknown" {
		t.Errorf("the other of two checks passed: %s, want unknown", got)
	}
	if got := tell(h, ping, "p"); got != "up" {
		t.Errorf("both passed: %s, want up", got)
	}
	if got := tell(h, ping, "fff"); got != "up up down" {
		t.Errorf("one fails: %s, want up up down", got)
	}
}

func TestOneFoundAtZeroLeavesWithTheFallOfOneCheck(t *testing.T) {
	page := tcpTarget
	page.Spec = checker.SpecOf(checker.HTTP{})
	s := checked(tcpTarget, page)
	for _, tt := range []struct {
		name string
		tell []string // results of the TCP check and of the page, by turns
		want string
	}{
		{"the port answers and the page does not", []string{"p", "f", "p", "f", "p", "f"}, "down"},
		{"both fail, in fewer rounds than fall", []string{"f", "f", "f", "f"}, "drained"},
		{"the port answers, and the page not often enough to tell", []string{"p", "f", "p", "f"}, "drained"},
		{"the page is served, and the port not often enough to tell", []string{"f", "p", "f", "p"}, "drained"},
		{"both pass as often as rise", []string{"p", "p", "p", "p"}, "up"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := &Healths{}
			h.Configure(start, []config.Service{s}, foundAt(s, 0))
			var got string
			for i, results := range tt.tell {
				got = tell(h, []checker.Target{tcpTarget, page}[i%2], results)
			}
			if got != tt.want {
				t.Errorf("state %s, want %s", got, tt.want)
			}
		})
	}
}

func TestAServerWithoutChecksIsUp(t *testing.T) {
	s := checked()
	h := &Healths{}
	h.Configure(start, []config.Service{s}, nil)
	if h.State(0, 0) != checker.Up || h.Unheard() != 0 {
		t.Errorf("state %v with %d targets unheard, want up and none", h.State(0, 0), h.Unheard())
	}
}

func TestReloadKeepsHealth(t *testing.T) {
	slower := tcpTarget
	slower.Interval = 10 * time.Second
	for _, tt := range []struct {
		name    string
		before  string
		then    checker.Target
		initial bool // initial = "up" after the reload
		after   string
		want    string
	}{
		{"the same check goes on counting", "pff", tcpTarget, false, "f", "down"},
		{"another check keeps it up until fall", "p", slower, false, "fff", "up up down"},
		{"another check keeps it down until rise", "f", slower, false, "pp", "down up"},
		{"another check of one that is unknown decides at once", "", slower, false, "f", "down"},
		{"initial = up puts one in that is unknown", "", tcpTarget, true, "l", "up"},
		{"and one that is unknown to another check", "", slower, true, "l", "up"},
		{"but none that is down", "f", slower, true, "l", "down"},
		{"and the same check goes on counting", "pff", tcpTarget, true, "f", "down"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := checked(tcpTarget)
			h := &Healths{}
			h.Configure(start, []config.Service{s}, nil)
			tell(h, tcpTarget, tt.before)
			s = checked(tt.then)
			s.Servers[0].InitialUp = tt.initial
			h.Configure(start, []config.Service{s}, nil)
			if got := tell(h, tt.then, tt.after); got != tt.want {
				t.Errorf("after the reload: %q, want %q", got, tt.want)
			}
		})
	}
}

func TestSharedTargetDecidesForEveryService(t *testing.T) {
	a, b := checked(tcpTarget), checked(tcpTarget)
	b.Name, b.Key.Port = "web-alt", 8080
	b.Servers[0].Checks[0].Fall = 1
	h := &Healths{}
	h.Configure(start, []config.Service{a, b}, nil)
	if h.Unheard() != 1 {
		t.Errorf("%d targets unheard, want the 1 that both share", h.Unheard())
	}
	tell(h, tcpTarget, "pf")
	if h.State(0, 0) != checker.Up || h.State(1, 0) != checker.Down {
		t.Errorf("after one failure: %v and %v, want up (fall 3) and down (fall 1)", h.State(0, 0), h.State(1, 0))
	}
}

// A service that is added, renamed or has another address has its servers at
// once, if their checks are asked already.
func TestAServiceWhoseChecksAreKnownHasItsServersAtOnce(t *testing.T) {
	other := tcpTarget
	other.Addr = web2
	for _, tt := range []struct {
		name    string
		results string // of the target that both share
		initial bool
		targets []checker.Target
		want    string
	}{
		{"up", "p", false, []checker.Target{tcpTarget}, "up"},
		{"up, though it has failed once", "pf", false, []checker.Target{tcpTarget}, "up"},
		{"up, though it cannot be asked now", "pl", false, []checker.Target{tcpTarget}, "up"},
		{"down", "pfff", false, []checker.Target{tcpTarget}, "down"},
		{"down, and it cannot be asked now", "fl", false, []checker.Target{tcpTarget}, "down"},
		{"down, whatever it is to be at first", "f", true, []checker.Target{tcpTarget}, "down"},
		{"down elsewhere, but its last result has passed", "fp", false, []checker.Target{tcpTarget}, "up"},
		{"nothing is known", "", false, []checker.Target{tcpTarget}, "unknown"},
		{"nothing but that it cannot be asked", "l", false, []checker.Target{tcpTarget}, "unknown"},
		{"nothing but that it cannot be asked, and it is up at first", "l", true, []checker.Target{tcpTarget}, "up"},
		{"another target", "p", false, []checker.Target{other}, "unknown"},
		{"one of two targets", "p", false, []checker.Target{tcpTarget, other}, "unknown"},
		{"one of two targets is down", "f", false, []checker.Target{tcpTarget, other}, "down"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := &Healths{}
			h.Configure(start, []config.Service{checked(tcpTarget)}, nil)
			tell(h, tcpTarget, tt.results)
			added := checked(tt.targets...)
			added.Name, added.Key.Port, added.Servers[0].InitialUp = "new", 8080, tt.initial
			h.Configure(start, []config.Service{added}, nil)
			if got := h.State(0, 0).String(); got != tt.want {
				t.Errorf("after results %q elsewhere: %s, want %s", tt.results, got, tt.want)
			}
		})
	}
}

// The start waits for the first result of every target.
func TestATargetIsHeardOnceByItsFirstResult(t *testing.T) {
	ping := tcpTarget
	ping.Spec, ping.Port = checker.SpecOf(checker.Ping{}), 0
	h := &Healths{}
	h.Configure(start, []config.Service{checked(tcpTarget, ping)}, nil)
	for _, step := range []struct {
		target  checker.Target
		results string
		want    int
	}{{tcpTarget, "ll", 2}, {tcpTarget, "p", 1}, {tcpTarget, "pflp", 1}, {ping, "f", 0}, {ping, "lf", 0}} {
		tell(h, step.target, step.results)
		if h.Unheard() != step.want {
			t.Errorf("%d targets unheard after %q of a %s check, want %d", h.Unheard(), step.results, step.target.Spec.Kind(), step.want)
		}
	}
}

func TestReloadForgetsOnlyWhatIsGone(t *testing.T) {
	s := checked(tcpTarget)
	h := &Healths{}
	h.Configure(start, []config.Service{s}, nil)
	h.Configure(start, []config.Service{s}, nil)
	if h.Unheard() != 1 {
		t.Errorf("%d unheard after a reload before the first result, want 1", h.Unheard())
	}
	tell(h, tcpTarget, "p")
	h.Configure(start, []config.Service{s}, nil)
	if h.Unheard() != 0 {
		t.Errorf("%d unheard after a reload, want 0: it was heard", h.Unheard())
	}
	slower := tcpTarget
	slower.Interval = 10 * time.Second
	h.Configure(start, []config.Service{checked(slower)}, nil)
	if h.Unheard() != 1 {
		t.Errorf("%d unheard after a reload with another check, want 1: nothing was heard of it", h.Unheard())
	}
	h.Configure(start, nil, nil)
	if got := fmt.Sprint(len(h.servers), len(h.waiters), h.Unheard()); got != "0 0 0" {
		t.Errorf("servers, waiters, unheard: %s, want none of a service that is gone", got)
	}
}
