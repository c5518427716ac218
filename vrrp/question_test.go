package vrrp

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// A told is something that happens to a router that asks its director, and what comes
// of it: its actions, and its phase.
type told struct {
	at   time.Duration
	do   func(r *Router, now time.Time) []Action
	want string
}

func answers(ok bool) func(r *Router, now time.Time) []Action {
	return func(r *Router, now time.Time) []Action {
		return leave(r, now, r.Answer(now, Answer{Number: r.Question().Number, OK: ok, Text: "an answer"}))
	}
}

// leave lets a router that may leave do it, as its loop would in the same turn.
func leave(r *Router, now time.Time, acts []Action) []Action {
	if r.leaving.over() {
		acts = append(acts, r.Expire(now)...)
	}
	return acts
}

func hears(priority uint8) func(r *Router, now time.Time) []Action {
	return func(r *Router, now time.Time) []Action { return receive(r, now, higher, advertOf(priority)) }
}

func without(clear func(c *Config)) func(r *Router, now time.Time) []Action {
	return func(r *Router, now time.Time) []Action {
		c := r.given()
		clear(&c)
		return r.Update(now, c)
	}
}

// playStory plays a story from a state on. A second of it is an interval.
func playStory(t *testing.T, r *Router, all []told) {
	t.Helper()
	for _, h := range all {
		if got := script(leave(r, at(h.at), h.do(r, at(h.at)))) + " -> " + string(r.phase()); got != h.want {
			t.Errorf("at %s: %s, want %s", h.at, got, h.want)
		}
	}
}

const (
	down         = 3609375 * time.Microsecond // Master_Down
	becomes      = "send 100, hold, announce, Master -> advertising"
	waitsToEnter = " -> waiting for what is to be done before it becomes Master"
	barred       = "note -> not becoming Master, since what is to be done before failed"
)

// A Backup whose Master, of priority 150, was heard at the beginning, and that asks its
// director for up to ten seconds.
func TestABackupAsksBeforeItTakesOverFromAMasterThatFellSilent(t *testing.T) {
	timer := matrixEvents["timer, early"]
	stands := func(ticks ...time.Duration) (all []told) {
		for _, at := range ticks {
			all = append(all, told{at, timer, waitsToEnter})
		}
		return all
	}
	asked := told{down, timer, "note" + waitsToEnter}
	soon := down + 500*time.Millisecond
	required := func(c *Config) { c.Enter.Required = true }
	preempts := func(c *Config) { c.Priority = 200 }
	patient := func(c *Config) { c.Priority, c.PreemptDelay = 200, 5*time.Second }
	var second []told
	for n := time.Duration(1); n < 10; n++ {
		second = append(second, stands(down+n*time.Second)...)
	}
	for _, tt := range []struct {
		name string
		edit func(*Config)
		all  []told
	}{
		{"the answer is yes", nil, []told{asked, {soon, answers(true), becomes}}},
		{"the answer is no", nil, []told{asked, {soon, answers(false), "note, " + becomes}}},
		{"the answer is no, and that decides", required, []told{asked, {soon, answers(false), barred}}},
		{"an answer to another question", nil, []told{asked, {soon, func(r *Router, now time.Time) []Action {
			return r.Answer(now, Answer{Number: r.Question().Number - 1, OK: true})
		}, waitsToEnter}, {soon, func(r *Router, now time.Time) []Action { return r.Answer(now, Answer{}) }, waitsToEnter}}},
		{"no answer", nil, append(append([]told{asked}, second...), told{down + 10*time.Second - 1, timer, waitsToEnter},
			told{down + 10*time.Second, timer, "note, " + becomes})},
		{"no answer, and that decides", required, append(append([]told{asked}, second...), told{down + 10*time.Second, timer, barred})},
		{"it leaves instead", nil, []told{{time.Second, hears(0), " -> succeeding a Master that leaves"},
			{time.Second + 609375*time.Microsecond, timer, becomes}}},
		{"it is heard again", nil, []told{asked, {soon, hears(150), "note -> following"}, {soon + down, timer, "note" + waitsToEnter}}},
		{"it leaves after all", nil, []told{asked, {soon, hears(0), "note -> succeeding a Master that leaves"},
			{soon + 609375*time.Microsecond, timer, becomes}}},
		{"somebody else leaves", nil, []told{asked, {soon, func(r *Router, now time.Time) []Action { return receive(r, now, lower, advertOf(0)) }, waitsToEnter}}},
		{"a worse one is Master, which is preempted", nil, []told{asked, {soon, hears(50), "note -> following"}, {soon, timer, becomes}}},
		{"a worse one is Master, and preemption is delayed", func(c *Config) { c.PreemptDelay = 5 * time.Second }, []told{asked, {soon, hears(50), "note -> delaying preemption"}}},
		{"the router fails meanwhile", nil, []told{asked, {soon, matrixEvents["fault"], "Initialize -> waiting"}}},
		{"it is stopped meanwhile", nil, []told{asked, {soon, matrixEvents["stop"], "Initialize -> ended"}}},
		{"a reload does not ask any more", nil, []told{asked, {soon, without(func(c *Config) { c.Enter = Clearance{} }), " -> following"}, {soon, timer, becomes}}},
		{"a reload changes something else", nil, []told{asked, {soon, without(func(c *Config) { c.Lease = !c.Lease }), waitsToEnter}}},
		{"it woke up three intervals late, when nothing can have been lost", nil, []told{asked, {down + 4*time.Second, timer, waitsToEnter}}},
		{"and a little later, when something can", nil, []told{asked, {down + 4*time.Second + 1, timer, "note, note -> listening after a stall"}}},
		{"the machine slept", nil, []told{asked, {down + 5*time.Second, timer, "note, note -> listening after a stall"},
			{down + 6250*time.Millisecond, timer, "note" + waitsToEnter}}},
		{"the machine slept, and the answer comes first", nil, []told{asked, {down + 5*time.Second, answers(true), "note, note -> listening after a stall"}}},
		{"a worse one that is preempted", preempts, []told{{time.Second, hears(150), " -> following"}, {2 * time.Second, hears(150), " -> following"},
			{3 * time.Second, hears(150), " -> following"}, {3218750 * time.Microsecond, timer, "send 200, hold, announce, Master -> advertising"}}},
		{"a worse one whose next advert is not overdue", preempts, []told{{time.Second, hears(150), " -> following"}, {1968750 * time.Microsecond, hears(150), " -> following"},
			{3218750 * time.Microsecond, timer, "send 200, hold, announce, Master -> advertising"}}},
		{"a worse one that falls silent before it is preempted", preempts, []told{{time.Second, hears(150), " -> following"},
			{3218750 * time.Microsecond, timer, " -> following"}, {time.Second + 3218750*time.Microsecond, timer, "note" + waitsToEnter}}},
		{"a worse one that misses an advert before it is preempted", preempts, []told{{time.Second, hears(150), " -> following"},
			{3218750 * time.Microsecond, timer, " -> following"}, {4 * time.Second, hears(150), " -> following"},
			{time.Second + 3218750*time.Microsecond, timer, "send 200, hold, announce, Master -> advertising"}}},
		{"a worse one that falls silent before the delay is over", patient, []told{{time.Second, hears(150), " -> delaying preemption"},
			{4218750 * time.Microsecond, timer, "note" + waitsToEnter}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := testConfig()
			c.Enter.Timeout = 10 * time.Second
			if tt.edit != nil {
				tt.edit(&c)
			}
			r := NewRouter(c)
			r.Startup(epoch, ours)
			receive(r, epoch, higher, advertOf(150))
			playStory(t, afterLate(r), tt.all)
		})
	}
}

// Whoever decides from now on asks anew; who decides as before does not.
func TestARouterThatJoinsOrLeavesAGroupAsksAnew(t *testing.T) {
	for _, led := range []bool{false, true} {
		c := testConfig()
		c.Enter.Timeout = 10 * time.Second
		r := NewRouter(c)
		r.Lead(epoch, led)
		r.Startup(epoch, ours)
		receive(r, epoch, higher, advertOf(150))
		afterLate(r).Expire(at(down))
		if led {
			r.clear(at(down))
		}
		asked := r.Question()
		if asked.Number == 0 {
			t.Fatalf("led: %t: it does not ask", led)
		}
		if r.Lead(at(down), led); r.Question() != asked {
			t.Errorf("led: %t, as before: %+v instead of %+v", led, r.Question(), asked)
		}
		if r.Lead(at(down), !led); r.Question().Number != 0 {
			t.Errorf("led: %t, and now %t: it waits for the answer to %+v", led, !led, r.Question())
		}
	}
}

// "It shot the other one, which was alive." What may be another Master ends the waiting,
// however it is heard of, so an answer that comes then counts for nothing.
func TestABackupWaitsNoMoreWhereAnotherMasterMayBe(t *testing.T) {
	timer := matrixEvents["timer, early"]
	stranger := func(r *Router, now time.Time) []Action { return r.Receive(now, strange(nil)) }
	claimed := func(r *Router, now time.Time) []Action {
		return r.Claim(now, Claim{"eth0", netip.MustParseAddr("10.0.0.100"), "52:54:00:00:00:01"})
	}
	unasked := func(r *Router, now time.Time) []Action {
		return r.Asked(now, Ask{"eth0", netip.MustParseAddr("10.0.0.100")}, errors.New("no buffer space"))
	}
	clears := func(r *Router, now time.Time) []Action { acts, _ := r.clear(now); return acts }
	var number uint64
	notes := func(r *Router, now time.Time) []Action { number = r.Question().Number; return nil }
	answered := func(r *Router, now time.Time) []Action {
		return leave(r, now, r.Answer(now, Answer{Number: number, OK: true}))
	}
	const (
		soon  = down + 400*time.Millisecond
		aside = " -> standing aside for a Master that it does not understand"
	)
	doubted := []told{{3 * time.Second, stranger, "note -> following"}, {down, timer, "ask -> following"},
		{down + 100*time.Millisecond, timer, "ask -> following"}, {down + 200*time.Millisecond, timer, "ask -> following"},
		{down + 300*time.Millisecond, timer, "note" + waitsToEnter}}
	for _, tt := range []struct {
		name   string
		led    bool
		before []told
		hears  told
		then   string // what an answer makes of it
	}{
		{"an advert that is refused for its version", false, []told{{down, timer, "note" + waitsToEnter}}, told{soon, stranger, "note, note -> following"}, " -> following"},
		{"an advert that its group looks at", true, []told{{down, timer, " -> waiting for its group"}, {down, clears, "note" + waitsToEnter}}, told{soon, hears(150), "note -> following"}, " -> following"},
		{"somebody answers late for the address in such an advert", false, doubted, told{soon, claimed, "note, note" + aside}, aside},
		{"it is told late that nobody could be asked about that", false, doubted, told{soon, unasked, "note, note" + aside}, aside},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := testConfig()
			c.Enter.Timeout = 10 * time.Second
			r := NewRouter(c)
			r.led = tt.led
			r.Startup(epoch, ours)
			receive(r, epoch, higher, advertOf(150))
			playStory(t, afterLate(r), append(tt.before, told{tt.hears.at, notes, waitsToEnter}, tt.hears))
			playStory(t, r, []told{{tt.hears.at, answered, tt.then}})
		})
	}
}

// "Both directors were started after a power failure, and each shot the other."
func TestABackupThatHeardNobodyAsksByOptionOnly(t *testing.T) {
	for _, tt := range []struct {
		name     string
		unheard  bool
		priority uint8
		at       time.Duration
		want     string
	}{
		{"without", false, 100, down, becomes},
		{"with it", true, 100, down, "note" + waitsToEnter},
		{"an owner", true, 255, 0, "note" + waitsToEnter},
	} {
		c := testConfig()
		c.Priority, c.Enter = tt.priority, Clearance{Timeout: time.Second, Unheard: tt.unheard}
		r := NewRouter(c)
		r.Startup(epoch, ours)
		if got := script(r.Expire(at(tt.at))) + " -> " + string(r.phase()); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

// "It was refused once, and nobody had the addresses until the morning."
func TestABackupThatWasRefusedAsksAgain(t *testing.T) {
	c := testConfig()
	c.Enter = Clearance{Timeout: time.Second, Required: true}
	r := NewRouter(c)
	r.Startup(epoch, ours)
	receive(r, epoch, higher, advertOf(150))
	asks := 0
	var asked time.Time
	for end := at(time.Minute); r.State() == Backup && afterLate(r).Deadline().Before(end); {
		now := afterLate(r).Deadline()
		if acts := r.Expire(now); strings.Contains(script(acts), "note") && r.phase() == Entering {
			if q := r.Question(); q.Peer != higher || q.Step != Enter {
				t.Errorf("it asks %+v", q)
			}
			if pause := now.Sub(asked); asks > 0 && pause != 10*time.Second+time.Millisecond {
				t.Errorf("it asks again after %v", pause)
			}
			asked = now
			asks++
			r.Answer(now.Add(time.Millisecond), Answer{Number: r.Question().Number, OK: asks == 4, Text: "the switch said no"})
		}
		if r.overdue(now.Add(time.Second)) != 0 {
			t.Error("it says that it waits for its Master")
		}
		if r.State() == Backup && r.Status().Barred != "the switch said no" && r.phase() == Barred {
			t.Errorf("it is barred: %q", r.Status().Barred)
		}
	}
	if asks != 4 || r.State() != Master {
		t.Errorf("it has asked %d times, and is %s", asks, r.State())
	}
}

// A Master that asks before it leaves by plan, for up to ten seconds, and goes on
// meanwhile.
func TestAMasterAsksBeforeItLeavesByPlan(t *testing.T) {
	const parting = " -> waiting for what is to be done before it leaves"
	offers, stops, fails := matrixEvents["offer"], matrixEvents["stop"], matrixEvents["fault"]
	stays := func(r *Router, now time.Time) []Action { return r.Stay(now) }
	departs := func(r *Router, now time.Time) []Action { return r.Depart(now) }
	late := func(r *Router, now time.Time) []Action { return r.mayLeave(now, false, unanswered(r.c.Leave)) }
	goes := func(r *Router, now time.Time) []Action { r.Continue(); return nil }
	const half = time.Second / 2
	for _, tt := range []struct {
		name    string
		all     []told
		outcome Outcome
	}{
		{"an offer", []told{{0, offers, "note" + parting}, {half, answers(true), "send 0 -> offering the addresses to a successor"}}, ""},
		{"an offer that is answered with no", []told{{0, offers, "note" + parting}, {half, answers(false), "note -> advertising"}}, Kept},
		{"an offer that is answered with no, and a stop", []told{{0, offers, "note" + parting}, {0, stops, parting}, {half, answers(false), "note, send 0, Initialize -> offering the addresses to a successor"}}, Interrupted},
		{"an answer to another question", []told{{0, offers, "note" + parting}, {half, func(r *Router, now time.Time) []Action {
			return leave(r, now, r.Answer(now, Answer{Number: r.Question().Number + 1, OK: true}))
		}, parting}}, ""},
		{"an offer, ordered again", []told{{0, offers, "note" + parting}, {half, offers, parting}}, ""},
		{"a stop", []told{{0, stops, "note" + parting}, {half, answers(true), "send 0, Initialize -> offering the addresses to a successor"}}, ""},
		{"a stop that is answered with no", []told{{0, stops, "note" + parting}, {half, answers(false), "note, send 0, Initialize -> offering the addresses to a successor"}}, ""},
		{"a stop without an answer", []told{{0, stops, "note" + parting}, {half, late, "note, send 0, Initialize -> offering the addresses to a successor"}}, ""},
		{"a stop that is taken back", []told{{0, stops, "note" + parting}, {half, goes, " -> advertising"}}, ""},
		{"a fault", []told{{0, fails, "note" + parting}, {half, answers(true), "send 0, Initialize -> offering the addresses to a successor"}}, ""},
		{"a fault that is over", []told{{0, fails, "note" + parting}, {half, stays, "note -> advertising"}}, ""},
		{"a fault that is over when it may leave for it", []told{{0, fails, "note" + parting}, {half, func(r *Router, now time.Time) []Action {
			acts := r.Answer(now, Answer{Number: r.Question().Number, OK: true})
			return leave(r, now, append(acts, r.Stay(now)...))
		}, "send 0, Initialize -> offering the addresses to a successor"}}, ""},
		{"a fault that is over, but a stop is not", []told{{0, fails, "note" + parting}, {0, stops, parting}, {half, stays, parting}}, ""},
		{"a fault that cannot wait any more", []told{{0, fails, "note" + parting}, {half, departs, "note, send 0, Initialize -> offering the addresses to a successor"}}, ""},
		{"a fault that nobody hears", []told{{0, matrixEvents["fault, silent"], "release, Initialize -> waiting"}}, ""},
		{"a director that is gone", []told{{0, matrixEvents["abandon"], "Initialize -> offering the addresses to a successor"}}, ""},
		{"a better one comes while it waits to offer its role", []told{{0, offers, "note" + parting}, {half, hears(200), "Backup -> relinquishing the addresses"}}, Accepted},
		{"a better one comes while it waits to stop", []told{{0, stops, "note" + parting}, {half, hears(200), "Backup, Initialize -> relinquishing the addresses"}}, ""},
		{"a better one comes while it waits with a fault", []told{{0, fails, "note" + parting}, {half, hears(200), "Backup, Initialize -> relinquishing the addresses"}}, ""},
		{"its link fails while it waits to offer its role", []told{{0, offers, "note" + parting}, {half, matrixEvents["fault, silent"], "release, Initialize -> waiting"}}, Interrupted},
		{"a reload asks no more", []told{{0, stops, "note" + parting}, {half, without(func(c *Config) { c.Leave = Clearance{} }), "send 0, Initialize -> offering the addresses to a successor"}}, ""},
		{"a stop while it offers its role", []told{{0, offers, "note" + parting}, {half, answers(true), "send 0 -> offering the addresses to a successor"},
			{half, stops, "send 0, Initialize -> offering the addresses to a successor"}}, Interrupted},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := testConfig()
			c.Leave.Timeout = 10 * time.Second
			r := NewRouter(c)
			r.Resume(epoch, ours)
			playStory(t, r, tt.all)
			if got := r.Status().Offered.Outcome; got != tt.outcome {
				t.Errorf("the offer: %q", got)
			}
		})
	}
}

// It has the addresses meanwhile, and nobody takes over.
func TestAMasterThatWaitsToLeaveAdvertises(t *testing.T) {
	c := testConfig()
	c.Leave.Timeout = 10 * time.Second
	r := NewRouter(c)
	r.Resume(epoch, ours)
	r.End(at(time.Second/2), Stopped)
	var sent []string
	for r.State() == Master {
		now := r.Deadline()
		if s := script(r.Expire(now)); s != "announce" {
			sent = append(sent, now.Sub(epoch).String()+" "+s)
		}
	}
	if len(sent) != 11 || sent[9] != "10s send 100" || sent[10] != "10.5s note, send 0, Initialize" {
		t.Errorf("%q", sent)
	}
}
