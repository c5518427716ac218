package vrrp

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var (
	epoch  = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	lower  = netip.MustParseAddr("10.0.0.1")
	ours   = netip.MustParseAddr("10.0.0.2")
	higher = netip.MustParseAddr("10.0.0.3")
)

func testConfig() Config {
	return Config{
		Name: "outside", Interface: "eth0", VRID: 51, Version: 3, Priority: 100,
		Interval: time.Second, Preempt: true,
		Addresses: []netip.Prefix{netip.MustParsePrefix("10.0.0.100/24")},
	}
}

// advertOf is what another director with the same configuration sends.
func advertOf(priority uint8) Advert {
	return Advert{Version: 3, VRID: 51, Priority: priority, Interval: time.Second, Addresses: addrs("10.0.0.100")}
}

// receive lets a router receive an advert as it comes from the network.
func receive(r *Router, now time.Time, src netip.Addr, ad Advert) []Action {
	dst := Group4
	if src.Is6() {
		dst = Group6
	}
	if len(r.c.Peers) > 0 {
		dst = r.source
	}
	return r.Receive(now, Packet{Src: src, Dst: dst, TTL: TTL, Payload: ad.Append(nil, src, dst)})
}

// The states of the matrix: how a router gets there, at the epoch or before.
var matrixStates = map[string]func() *Router{
	"initialize": func() *Router { return NewRouter(testConfig()) },
	"initialize, owner": func() *Router {
		c := testConfig()
		c.Priority = 255
		return NewRouter(c)
	},
	"initialize, adopted": func() *Router {
		r := NewRouter(testConfig())
		r.Adopt()
		return r
	},
	"stopping": func() *Router {
		r := NewRouter(testConfig())
		r.Resume(epoch, ours)
		r.End(epoch, Stopped)
		return r
	},
	"stopping, taken over": func() *Router {
		r := NewRouter(testConfig())
		r.Resume(epoch, ours)
		r.End(epoch, Stopped)
		receive(r, epoch, lower, advertOf(50))
		return r
	},
	"abandoned": func() *Router {
		r := NewRouter(testConfig())
		r.Resume(epoch, ours)
		r.End(epoch, Abandoned)
		return r
	},
	"faulted": func() *Router {
		r := NewRouter(testConfig())
		r.Resume(epoch, ours)
		r.Fault(epoch, "interface eth1 is down", false)
		return r
	},
	"backup": func() *Router {
		r := NewRouter(testConfig())
		r.Startup(epoch, ours)
		return r
	},
	"backup, following": func() *Router {
		r := NewRouter(testConfig())
		r.Startup(epoch, ours)
		receive(r, epoch, higher, advertOf(150))
		return r
	},
	"backup, adopted": func() *Router {
		r := NewRouter(testConfig())
		r.Adopt()
		r.Startup(epoch, ours)
		return r
	},
	"backup, answering": func() *Router {
		r := NewRouter(testConfig())
		r.Resume(epoch, ours)
		receive(r, epoch, higher, advertOf(150))
		return r
	},
	"backup, no preemption": func() *Router {
		c := testConfig()
		c.Preempt = false
		r := NewRouter(c)
		r.Startup(epoch, ours)
		return r
	},
	"backup, delaying": func() *Router {
		c := testConfig()
		c.PreemptDelay = 10 * time.Second
		r := NewRouter(c)
		r.Startup(epoch, ours)
		receive(r, epoch, lower, advertOf(50))
		return r
	},
	"backup, listening": func() *Router {
		r := NewRouter(testConfig())
		r.Startup(epoch.Add(-time.Minute), ours)
		r.Expire(epoch)
		return r
	},
	"master": func() *Router {
		r := NewRouter(testConfig())
		r.Resume(epoch, ours)
		r.announcements.secondAt = time.Time{} // that is over
		return r
	},
	"master, listening": func() *Router {
		r := NewRouter(testConfig())
		r.Resume(epoch.Add(-time.Minute), ours)
		r.Expire(epoch)
		return r
	},
	"master, offering": func() *Router {
		r := NewRouter(testConfig())
		r.Resume(epoch, ours)
		r.Offer(epoch, Offer{Number: 1})
		return r
	},
	"master, letting go": func() *Router {
		r := NewRouter(testConfig())
		r.Resume(epoch, ours)
		r.Offer(epoch, Offer{Number: 1, Force: true})
		return r
	},
	"master, owner": func() *Router {
		c := testConfig()
		c.Priority = 255
		r := NewRouter(c)
		r.Startup(epoch, ours)
		r.announcements.secondAt = time.Time{}
		return r
	},
}

// matrixPhases are the phases that the matrix begins from.
var matrixPhases = map[string]Phase{
	"initialize":            Waiting,
	"initialize, owner":     Waiting,
	"initialize, adopted":   Adopted,
	"stopping":              Offering,
	"stopping, taken over":  Relinquishing,
	"abandoned":             Offering,
	"faulted":               Offering,
	"backup":                Seeking,
	"backup, following":     Following,
	"backup, adopted":       Adopted,
	"backup, answering":     Relinquishing,
	"backup, no preemption": Seeking,
	"backup, delaying":      Delaying,
	"backup, listening":     Listening,
	"master":                Advertising,
	"master, listening":     Listening,
	"master, offering":      Offering,
	"master, letting go":    Offering,
	"master, owner":         Advertising,
}

func TestPhases(t *testing.T) {
	for state, make := range matrixStates {
		if got := make().Status().Phase; got != matrixPhases[state] {
			t.Errorf("%s: %s, want %s", state, got, matrixPhases[state])
		}
	}
	r := matrixStates["backup"]()
	for _, tt := range []struct {
		do   func()
		want Phase
	}{
		{func() { receive(r, epoch, higher, advertOf(150)) }, Following},
		{func() { receive(r, epoch, higher, advertOf(0)) }, Succeeding},
		{func() { r.End(epoch, Stopped) }, Ended},
	} {
		tt.do()
		if got := r.Status().Phase; got != tt.want {
			t.Errorf("%s, want %s", got, tt.want)
		}
	}
}

// The events of the matrix; all but the timers come 20 ms after the epoch.
var matrixEvents = map[string]func(r *Router, now time.Time) []Action{
	"startup":                      func(r *Router, now time.Time) []Action { return r.Startup(now, ours) },
	"resume":                       func(r *Router, now time.Time) []Action { return r.Resume(now, ours) },
	"advert, priority 0":           func(r *Router, now time.Time) []Action { return receive(r, now, higher, advertOf(0)) },
	"advert, lower":                func(r *Router, now time.Time) []Action { return receive(r, now, higher, advertOf(50)) },
	"advert, equal, lower source":  func(r *Router, now time.Time) []Action { return receive(r, now, lower, advertOf(r.c.Priority)) },
	"advert, equal, higher source": func(r *Router, now time.Time) []Action { return receive(r, now, higher, advertOf(r.c.Priority)) },
	"advert, higher": func(r *Router, now time.Time) []Action {
		return receive(r, now, lower, advertOf(max(r.c.Priority, r.c.Priority+1)))
	},
	"timer, early":         func(r *Router, now time.Time) []Action { return r.Expire(now) },
	"timer":                func(r *Router, _ time.Time) []Action { return r.Expire(afterLate(r).Deadline()) },
	"timer, a minute late": func(r *Router, _ time.Time) []Action { return r.Expire(afterLate(r).Deadline().Add(time.Minute)) },
	"offer":                func(r *Router, now time.Time) []Action { return r.Offer(now, Offer{Number: 1}) },
	"stop":                 func(r *Router, now time.Time) []Action { return r.End(now, Stopped) },
	"abandon":              func(r *Router, now time.Time) []Action { return r.End(now, Abandoned) },
	"fault":                func(r *Router, now time.Time) []Action { return r.Fault(now, "interface eth1 is down", false) },
	"fault, silent":        func(r *Router, now time.Time) []Action { return r.Fault(now, "interface eth0 is down", true) },
	"update, nothing":      func(r *Router, now time.Time) []Action { return r.Update(now, r.c) },
	"update, addresses": func(r *Router, now time.Time) []Action {
		c := r.c
		c.Addresses = append(slices.Clone(c.Addresses), netip.MustParsePrefix("10.0.0.101/24"))
		return r.Update(now, c)
	},
	"update, priority 200": func(r *Router, now time.Time) []Action {
		c := r.c
		c.Priority = 200
		return r.Update(now, c)
	},
}

// A matrixRow is one cell: the clauses that decide it, by their keys in
// clauses; what is done in which order; and the state afterwards: + with
// addresses held, and when the next deadline is after the epoch.
type matrixRow struct{ state, event, clause, acts, after string }

func TestTransitionMatrix(t *testing.T) {
	seen := make(map[string]bool)
	for _, row := range transitionMatrix {
		name := row.state + "/" + row.event
		if seen[name] {
			t.Errorf("two rows for %s", name)
		}
		seen[name] = true
		t.Run(name, func(t *testing.T) {
			acts, after := runCell(row.state, row.event)
			if diff := cmp.Diff(matrixRow{row.state, row.event, row.clause, acts, after}, row, cmp.AllowUnexported(matrixRow{})); diff != "" {
				t.Errorf("%s\n(-got +want):\n%s", quote(row.clause), diff)
			}
		})
	}
	for s := range matrixStates {
		for e := range matrixEvents {
			if !seen[s+"/"+e] {
				t.Errorf("no row for %s/%s", s, e)
			}
		}
	}
}

func runCell(state, event string) (acts, after string) {
	r := matrixStates[state]()
	return script(matrixEvents[event](r, epoch.Add(20*time.Millisecond))), condition(r)
}

// script is the short form of a list of actions.
func script(acts []Action) string {
	var words []string
	for _, a := range acts {
		switch a := a.(type) {
		case Send:
			words = append(words, fmt.Sprintf("send %d", a.Advert.Priority))
		case Event:
			if a.Changed() {
				words = append(words, string(a.To))
			} else {
				words = append(words, "note")
			}
		default:
			words = append(words, strings.Fields(a.String())[0])
		}
	}
	return strings.Join(words, ", ")
}

// afterLate lets a router have told that its Master is late, which changes nothing:
// what is due next is its real timer.
func afterLate(r *Router) *Router {
	r.election.lateAt = time.Time{}
	return r
}

// condition is a router's state in short: "Backup+ 3.6s". The second announcement
// is left out, so that Adver_Timer shows behind it, and so is the half of
// Master_Down.
func condition(r *Router) string {
	s := string(r.state)
	if r.handover.held {
		s += "+"
	}
	if r.stall.listening {
		s += " listening"
	}
	if r.Done() {
		s += " done"
	}
	if r.handover.ending == Abandoned {
		s += " leaving them"
	}
	after := *r
	after.announcements.secondAt, after.election.lateAt = time.Time{}, time.Time{}
	if d := after.Deadline(); !d.IsZero() {
		s += " " + d.Sub(epoch).String()
	}
	return s
}
