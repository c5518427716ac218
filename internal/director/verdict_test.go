package director

import (
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/ipvsctl"
	"github.com/lvsd/lvsd/vrrp"
)

func TestSupply(t *testing.T) {
	for _, tt := range []struct {
		name    string
		states  []checker.State
		weight  uint32 // of all
		awaited bool
		want    api.Supply
		reason  Reason
		because string
	}{
		{"one of two is up", []checker.State{checker.Down, checker.Up}, 3, false, api.Served, "", ""},
		{"one is up, and nothing else matters", []checker.State{checker.Up, checker.Unknown}, 3, true, api.Served, "", ""},
		{"nothing was heard of one yet", []checker.State{checker.Down, checker.Unknown}, 3, true, api.Undecided, "", ""},
		{"nothing was heard of one in time", []checker.State{checker.Down, checker.Unknown}, 3, false, api.Unserved, NoneUp, "real servers: 1 down, 1 without a result"},
		{"nothing was heard of any in time", []checker.State{checker.Unknown, checker.Unknown}, 3, false, api.Unserved, NoResult, "real servers: 2 without a result"},
		{"all are down", []checker.State{checker.Down, checker.Down}, 3, true, api.Unserved, NoneUp, "real servers: 2 down"},
		{"all are drained", []checker.State{checker.Up, checker.Up}, 0, true, api.Unserved, Drained, "real servers: 2 with weight 0"},
		{"down or drained", []checker.State{checker.Down, checker.Up}, 0, true, api.Unserved, Drained, "real servers: 1 down, 1 with weight 0"},
		{"left at weight 0 by whoever was here before", []checker.State{checker.Drained, checker.Drained}, 3, true, api.Unserved, Drained, "real servers: 2 with weight 0"},
		{"none is configured", nil, 3, true, api.Unserved, NoServer, "no real server is configured"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := webService(ipvsctl.NAT, []netip.Addr{web1, web2}[:len(tt.states)]...)
			for i := range s.Servers {
				s.Servers[i].Destination.Weight = tt.weight
			}
			var weights []Weight
			for i := range s.Servers {
				weights = append(weights, weigh(start, &s.Servers[i], config.Policy{}, Standing{State: tt.states[i]}, nil))
			}
			v := judge(tt.states, weights, tt.awaited)
			if v.Supply != tt.want || v.Reason() != tt.reason {
				t.Errorf("%s, %q; want %s, %q", v.Supply, v.Reason(), tt.want, tt.reason)
			}
			if v.Supply == api.Unserved && v.why() != tt.because {
				t.Errorf("the log says %q, want %q", v.why(), tt.because)
			}
		})
	}
}

// First results that may still come are neither a loss nor enough: it is as it was.
func TestAMinimumThatMayStillBeReached(t *testing.T) {
	const up, down, unknown = checker.Up, checker.Down, checker.Unknown
	for _, tt := range []struct {
		name     string
		states   []checker.State
		awaited  bool
		was, low bool
		unsure   bool
	}{
		{"three of three", []checker.State{up, up, up, down}, true, false, false, false},
		{"two, and one may come", []checker.State{up, up, unknown, down}, true, false, false, true},
		{"two, and one may come, where there were too few", []checker.State{up, up, unknown, down}, true, true, true, true},
		{"one, and two may come", []checker.State{up, unknown, unknown, down}, true, false, false, true},
		{"one, and only one may come", []checker.State{up, unknown, down, down}, true, false, true, false},
		{"two, and one was not heard of in time", []checker.State{up, up, unknown, down}, false, false, true, false},
		{"two, and the others are down", []checker.State{up, up, down, down}, true, false, true, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := webService(ipvsctl.NAT, web1, web2, lvs1, lvs2)
			s.Policy = &config.Policy{MinHealthy: config.Quantity{N: 3}}
			var weights []Weight
			for i := range s.Servers {
				weights = append(weights, weigh(start, &s.Servers[i], s.Policed(), Standing{State: tt.states[i]}, nil))
			}
			if low, unsure := below(&s, tt.states, weights, tt.awaited, tt.was); low != tt.low || unsure != tt.unsure {
				t.Errorf("below %t, unsure %t; want %t and %t", low, unsure, tt.low, tt.unsure)
			}
		})
	}
}

// The log and the status give the reason that an operator can do something about.
func TestWhyAServiceWithAMinimumIsUnserved(t *testing.T) {
	for _, tt := range []struct {
		name    string
		verdict Verdict
		reason  Reason
		because string
	}{
		{"some serve, but too few", Verdict{}, TooFew, "fewer take connections than min_healthy"},
		{"none serves: full or down", Verdict{full: 1, down: 1}, Full, "real servers: 1 at their upper_threshold, 1 down"},
		{"none serves: down or drained", Verdict{down: 1, drained: 1}, Drained, "real servers: 1 down, 1 with weight 0"},
		{"none serves: drained or unheard", Verdict{drained: 1, unknown: 1}, Drained, "real servers: 1 with weight 0, 1 without a result"},
	} {
		tt.verdict.Supply, tt.verdict.Below = api.Unserved, true
		if got := tt.verdict.Reason(); got != tt.reason {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.reason)
		}
		if got := tt.verdict.why(); got != tt.because {
			t.Errorf("%s: the log says %q, want %q", tt.name, got, tt.because)
		}
	}
}

func TestAFallbackServesInThePlaceOfTooFew(t *testing.T) {
	for _, tt := range []struct {
		is              api.Supply
		below, fallback bool
		want            api.Supply
	}{
		{api.Served, true, true, api.Unserved},
		{api.Served, true, false, api.Served},
		{api.Served, false, true, api.Served},
		{api.Undecided, true, true, api.Undecided},
		{api.Unserved, true, true, api.Unserved},
	} {
		if v := (Verdict{Supply: tt.is}).lower(tt.below, tt.fallback); v.Supply != tt.want || v.Below != tt.below {
			t.Errorf("%s, below its minimum: %t, with a fallback: %t: %s, %t; want %s", tt.is, tt.below, tt.fallback, v.Supply, v.Below, tt.want)
		}
	}
}

// lack is whether the log and the status say that the only service is served.
type lack struct {
	Log    []string
	Supply api.Supply
	Reason Reason
	Health api.Health // of its first server
}

// TestLogAndStatusAgree tells of services that lack a server, as the log and the
// status do.
func TestLogAndStatusAgree(t *testing.T) {
	silent, failing := tcpTarget, tcpTarget
	silent.Addr, failing.Addr = web2, web1
	two := checked(failing)
	two.Servers = append(two.Servers, webService(ipvsctl.NAT, web1, web2).Servers[1])
	two.Servers[1].Checks = []config.Check{{Target: silent, Rise: 2, Fall: 3}}
	alone := webService(ipvsctl.NAT)
	const lost = `level=WARN msg="virtual service has no real server left" event=service-unserved service=web address="tcp 10.13.0.200:80" fallback=true why=`
	for _, tt := range []struct {
		name    string
		service config.Service
		found   ipvsctl.Table
		fails   bool // the first server's check
		after   time.Duration
		want    lack
	}{
		{"one is down, and the other may still answer", two, nil, true, 9 * time.Second, lack{Supply: api.Undecided, Health: api.Down}},
		{"one is down, and nothing was ever heard of the other", two, nil, true, 12 * time.Second,
			lack{[]string{lost + `"real servers: 1 down, 1 without a result"`}, api.Unserved, NoneUp, api.Down}},
		{"found with weight 0, which is not down", checked(tcpTarget), foundAt(checked(tcpTarget), 0), false, time.Second,
			lack{[]string{lost + `"real servers: 1 with weight 0"`}, api.Unserved, Drained, api.Unknown}},
		{"no real server is configured", alone, nil, false, time.Second,
			lack{[]string{lost + `"no real server is configured"`}, api.Unserved, NoServer, ""}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log strings.Builder
				f := newOutsides()
				f.log, f.found = plain(&log), tt.found
				d, stop, ended := begin(t, f, clusterOf(tt.service), nil)
				if tt.fails {
					f.hear(failing, checker.Failed)
				}
				time.Sleep(tt.after)
				synctest.Wait()
				s := statusOf(t, d).Services[0]
				got := lack{linesWith(&log, "virtual service"), s.Supply, Reason(s.Reason), ""}
				if len(s.Servers) > 0 {
					got.Health = s.Servers[0].Health
				}
				if diff := cmp.Diff(tt.want, got, cmpopts.EquateEmpty()); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
				stop()
				<-ended
			})
		})
	}
}

// A reload that adds a service is no outage, for as long as a start takes.
func TestANewServiceIsNoOutageBeforeItsFirstResult(t *testing.T) {
	added := checked(tcpTarget)
	old := checked()
	old.Name, old.Key.Port = "old", 8080
	reloads(t, clusterOf(old), 0, []Loaded{{Config: second(old, added)}}, func(r *reloading) {
		time.Sleep(time.Minute)
		r.reload(9 * time.Second)
		if got := statusOf(r.T, r.director).Services[1].Supply; got != api.Undecided {
			t.Errorf("nothing was heard of it yet: %s, want %s", got, api.Undecided)
		}
		r.hear(tcpTarget, checker.Passed)
		if got := statusOf(r.T, r.director).Services[1].Supply; got != api.Served {
			t.Errorf("its server is up: %s, want %s", got, api.Served)
		}
		if got := linesWith(&r.log, `msg="virtual service`); len(got) > 0 {
			t.Errorf("told %q, want nothing", got)
		}
	})
}

// What a Backup has not in its table on purpose is no outage there.
func TestAServiceThatIsWithheldIsNoOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		f := newOutsides()
		f.log = plain(&log)
		s := webService(ipvsctl.Direct, lvs1)
		s.Servers[0].Checks = []config.Check{{Target: tcpTarget, Rise: 1, Fall: 1}}
		d, stop, ended := begin(t, f, clusterOf(s), nil)
		for _, step := range []struct {
			name   string
			state  vrrp.State
			result checker.Outcome
			want   api.Supply
			lines  int // of the service
		}{
			{"Backup, its server fails", vrrp.Backup, checker.Failed, api.Withheld, 0},
			{"Master, and it is down", vrrp.Master, checker.Failed, api.Unserved, 1},
			{"Backup again", vrrp.Backup, checker.Failed, api.Withheld, 1},
			{"Master again, it is up", vrrp.Master, checker.Passed, api.Served, 2},
		} {
			f.mu.Lock()
			f.statuses = []*vrrp.Status{{Name: "outside", State: step.state}}
			f.mu.Unlock()
			f.changed <- struct{}{}
			synctest.Wait()
			f.hear(tcpTarget, step.result)
			if got := statusOf(t, d).Services[0].Supply; got != step.want {
				t.Errorf("%s: %s, want %s", step.name, got, step.want)
			}
			if got := strings.Count(log.String(), "virtual service"); got != step.lines {
				t.Errorf("%s: %d lines of the service, want %d:\n%s", step.name, got, step.lines, &log)
			}
		}
		stop()
		<-ended
	})
}

// One line for each change of health, however often they are asked.
func TestProbesAreNotLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		f := newOutsides()
		f.log = plain(&log)
		healthy, failing := tcpTarget, tcpTarget
		healthy.Addr = web2
		s := checked(failing)
		s.Servers = append(s.Servers, webService(ipvsctl.NAT, web1, web2).Servers[1])
		s.Servers[1].Checks = []config.Check{{Target: healthy, Rise: 2, Fall: 3}}
		_, stop, ended := begin(t, f, clusterOf(s), nil)
		for i := range 1000 {
			f.hear(healthy, checker.Passed)
			outcome := checker.Passed
			if i >= 10 && i < 500 {
				outcome = checker.Failed
			}
			f.hear(failing, outcome)
			time.Sleep(2 * time.Second)
		}
		want := []string{
			`level=INFO msg="real server is up" event=server-up service=web server=192.168.1.5 address=192.168.1.5:80`,
			`level=INFO msg="real server is up" event=server-up service=web server=192.168.1.4 address=192.168.1.4:80`,
			`level=INFO msg=ready event=ready because="the table is loaded, and every check has had a result" services=1 routers=1 targets_without_result=0`,
			`level=WARN msg="real server is down" event=server-down service=web server=192.168.1.4 address=192.168.1.4:80 reason="connection refused"`,
			`level=INFO msg="real server is up" event=server-up service=web server=192.168.1.4 address=192.168.1.4:80`,
		}
		if diff := cmp.Diff(want, logged(&log)); diff != "" {
			t.Errorf("the log of 2000 probes (-want +got):\n%s", diff)
		}
		stop()
		<-ended
	})
}

// logged returns the lines of a log without their time.
func logged(log *strings.Builder) []string {
	defer log.Reset()
	if log.Len() == 0 {
		return nil
	}
	return strings.Split(strings.TrimSpace(log.String()), "\n")
}

// linesWith are the lines of a log that have a text.
func linesWith(log *strings.Builder, text string) []string {
	return slices.DeleteFunc(logged(log), func(line string) bool { return !strings.Contains(line, text) })
}

// plain writes lines without their time.
func plain(log *strings.Builder) *slog.Logger {
	return slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))
}
