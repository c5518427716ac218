package vrrp

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const second = time.Second

// Each part at the boundaries of its times; the matrix has them together.

func TestStallOfABackup(t *testing.T) {
	for _, tt := range []struct {
		name      string
		listening bool
		late      time.Duration
		want      time.Duration // that it listens; zero: it does not
	}{
		{"an eighth of an interval late is in time", false, second / 8, 0},
		{"a little later it reads what has arrived", false, second/8 + 1, second / 8},
		{"less than an interval: nothing can have been lost", false, second - 1, second / 8},
		{"an interval late: adverts may have been lost", false, second, second * 5 / 4},
		{"one that listens already is not put off by being a little late", true, 3 * second, 0},
		{"but by another stall", true, 3*second + 1, second * 5 / 4},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := stall{listening: tt.listening}
			now := at(tt.late)
			until := s.backup(now, epoch, second)
			if want := tt.want != 0; !until.IsZero() != want || s.listening != (want || tt.listening) || want && until.Sub(now) != tt.want {
				t.Errorf("listens until %s, listening %t", until, s.listening)
			}
		})
	}
}

func TestStallOfAMaster(t *testing.T) {
	for _, tt := range []struct {
		name      string
		listening bool
		sent, due time.Duration // ago
		want      time.Duration
	}{
		{"less than a peer's patience", false, 3*second - 1, 2*second - 1, 0},
		{"as long as the shortest patience", false, 3 * second, 2 * second, second / 8},
		{"less than four intervals: nobody is certain to have taken over", false, 4*second - 1, 3*second - 1, second / 8},
		{"four intervals", false, 4 * second, 3 * second, second * 5 / 4},
		{"while it listens, the end of that counts", true, 60 * second, 3*second - 1, 0},
		{"and a stall meanwhile is another one", true, 60 * second, 3 * second, second * 5 / 4},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := stall{listening: tt.listening}
			until := s.master(epoch, at(-tt.sent), at(-tt.due), &Config{Interval: second})
			if want := tt.want != 0; !until.IsZero() != want || s.listening != (want || tt.listening) || want && until.Sub(epoch) != tt.want {
				t.Errorf("listens until %s, listening %t", until, s.listening)
			}
		})
	}
}

func TestRivals(t *testing.T) {
	var v rivals
	for _, tt := range []struct {
		at   time.Duration
		want bool
	}{
		{0, false},
		{second - 1, false},
		{second, true},        // it has been there for an interval
		{5 * second, true},    // four intervals of silence are not the end of it
		{9*second + 1, false}, // more are: this is a new one
		{10*second + 1, true},
	} {
		if got := v.met(at(tt.at), second) >= second; got != tt.want {
			t.Errorf("at %s it persists: %t", tt.at, got)
		}
	}
}

func TestAnnouncements(t *testing.T) {
	var a announcements
	a.first(epoch)
	steps := []struct {
		name      string
		at        time.Duration
		contested bool
		want      string
		next      time.Duration
	}{
		{"not before 100 ms", 100*time.Millisecond - 1, false, "", 100 * time.Millisecond},
		{"a new Master's second one", 100 * time.Millisecond, false, "announce", 5 * second},
		{"a contest within a second of the last one waits for the second to pass", 600 * time.Millisecond, true, "", 1600 * time.Millisecond},
		{"a further contest does not put it off", 700 * time.Millisecond, true, "", 1600 * time.Millisecond},
		{"after that second", 1600 * time.Millisecond, false, "announce", 0},
		{"a second after the last one a contest is answered at once, and again", 2600 * time.Millisecond, true, "announce", 3600 * time.Millisecond},
		{"the second one of a contest", 3600 * time.Millisecond, false, "announce", 0},
	}
	for _, s := range steps {
		acts := a.expire(at(s.at))
		if s.contested {
			acts = a.contested(at(s.at))
		}
		next := time.Duration(0)
		if d := a.deadline(); !d.IsZero() {
			next = d.Sub(epoch)
		}
		if script(acts) != s.want || next != s.next {
			t.Errorf("%s: %q, next at %s", s.name, script(acts), next)
		}
	}
	a.first(epoch)
	if a.stop(); !a.deadline().IsZero() {
		t.Error("it goes on after a stop")
	}
	a.first(epoch)
	if got := script(a.expire(at(5 * second))); got != "announce" || !a.deadline().IsZero() {
		t.Errorf("two that are due are one: %q", got)
	}
}

func TestHandover(t *testing.T) {
	c := testConfig()
	for _, tt := range []struct {
		name    string
		ending  Ending
		heard   []time.Duration
		release time.Duration
		held    bool // after that
	}{
		{"nobody comes", Stopped, nil, 4 * second, false},
		{"nobody comes, abandoned", Abandoned, nil, 4 * second, true},
		{"a successor comes", Stopped, []time.Duration{second}, second + Overlap, false},
		{"its further adverts do not put that off", Abandoned, []time.Duration{second, second + 1}, second + Overlap, false},
		{"it comes at the very end", Stopped, []time.Duration{4*second - Overlap}, 4 * second, false},
		{"it comes when the time is nearly up", Stopped, []time.Duration{4*second - Overlap + 1}, 4 * second, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := handover{ending: tt.ending}
			h.hold()
			h.begin(&c, epoch)
			for _, d := range tt.heard {
				h.heard(at(d), &c)
			}
			if got := h.releaseAt; !got.Equal(at(tt.release)) || h.takenOver != (tt.heard != nil) {
				t.Errorf("released at %s, taken over %t", got.Sub(epoch), h.takenOver)
			}
			if acts := h.expire(at(tt.release - 1)); acts != nil {
				t.Errorf("too soon: %v", acts)
			}
			if acts := h.expire(at(tt.release)); (acts == nil) != tt.held || h.held != tt.held || !h.releaseAt.IsZero() {
				t.Errorf("at the end: %v, held %t", acts, h.held)
			}
		})
	}
	var h handover
	if h.heard(epoch, &c); !h.releaseAt.IsZero() || !h.takenOver {
		t.Error("what is not held is not released later")
	}
	if h.restart(); h.takenOver {
		t.Error("a restart does not forget who took over")
	}
}

// A switch sends what is for the virtual MAC to whoever has used it last.
func TestWhoeverHandsOverDoesNotUseTheVirtualMACAnyMore(t *testing.T) {
	for name, leave := range map[string]func(*Router){
		"it is preempted": func(r *Router) {},
		"it is stopped":   func(r *Router) { r.End(at(second), Stopped) },
	} {
		t.Run(name, func(t *testing.T) {
			c := testConfig()
			c.VirtualMAC.Device = "vrrp4-51"
			r := NewRouter(c)
			r.Resume(epoch, ours)
			leave(r)
			var mutes []bool
			for i := range 3 { // its successor's adverts
				for _, a := range receive(r, at(second+time.Duration(i)), higher, advertOf(150)) {
					if h, ok := a.(Hold); ok {
						mutes = append(mutes, h.Holdings.Mute)
						if len(h.Holdings.Addresses) != 1 {
							t.Errorf("it does not answer any more: %v", h)
						}
					}
				}
			}
			if !slices.Equal(mutes, []bool{true}) {
				t.Errorf("its device was told to be mute: %v, want once", mutes)
			}
			if acts := r.Expire(at(second + Overlap)); !slices.ContainsFunc(acts, func(a Action) bool { h, ok := a.(Hold); return ok && h.Holdings.empty() }) {
				t.Errorf("it goes on after the overlap: %v", acts)
			}
		})
	}
}

// "When the kernel refuses an advert" and everything else that is counted.
func TestCounters(t *testing.T) {
	r := NewRouter(testConfig())
	r.Resume(epoch, ours)                         // sends one
	receive(r, at(1), higher, advertOf(0))        // answered
	receive(r, at(2), lower, advertOf(50))        // answered, another Master
	r.counters.SendErrors++                       //                              //
	receive(r, at(3), higher, advertOf(150))      // Backup
	receive(r, at(3), higher, advertOf(151))      //
	receive(r, at(4), higher, advertOf(0))        //
	r.Expire(r.Deadline())                        // releases
	r.Expire(afterLate(r).Deadline())             // Master, sends one
	r.Expire(r.Deadline().Add(10 * second))       // stalls
	receive(r, r.Deadline(), ours, advertOf(150)) // discarded
	r.End(r.Deadline(), Stopped)                  // says so
	got := r.Status().Counters
	want := Counters{AdvertsSent: 5, AdvertsReceived: 5, PriorityZeroSent: 1, PriorityZeroReceived: 2,
		BecameMaster: 2, LeftMaster: 2, OtherMasters: 1, SendErrors: 1, Stalls: 1}
	want.Discarded = map[Reason]uint64{ReasonOwnAddress: 1}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("counters (-want +got):\n%s", diff)
	}
}

// What an update changes is told to the backups where they must know it.
func TestUpdateTellsWhatChanged(t *testing.T) {
	for _, tt := range []struct {
		name string
		edit func(c *Config)
		want string
	}{
		{"priority", func(c *Config) { c.Priority = 99 }, "send 99"},
		{"interval", func(c *Config) { c.Interval = 2 * second }, "send 100"},
		{"version", func(c *Config) { c.Version = 2 }, "send 100"},
		{"addresses", func(c *Config) { c.Addresses = []netip.Prefix{netip.MustParsePrefix("10.0.0.7/24")} }, "send 100, hold, announce"},
		{"extra addresses", func(c *Config) { c.Extra = []InterfaceAddress{{"eth1", netip.MustParsePrefix("10.1.0.7/24")}} }, "send 100, hold, announce"},
		{"preemption", func(c *Config) { c.Preempt = false }, ""},
		{"a lease", func(c *Config) { c.Lease = true }, "hold"},
		{"the name, which the log gives with the addresses", func(c *Config) { c.Name = "renamed" }, "hold"},
	} {
		r := matrixStates["master"]()
		c := r.given()
		tt.edit(&c)
		if got := script(r.Update(at(1), c)); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestHowAHandOverEndedIsReported(t *testing.T) {
	for _, tt := range []struct {
		name   string
		state  string
		how    Ending
		heard  bool
		code   string
		events int
	}{
		{"taken over", "master", Stopped, true, TakenOver, 1},
		{"nobody came", "master", Stopped, false, NotTakenOver, 1},
		{"abandoned, nobody came", "master", Abandoned, false, NotTakenOver, 1},
		{"a Backup has nothing to hand over", "backup", Stopped, false, "", 0},
		{"one that only answers still was not Master", "backup, answering", Stopped, true, "", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := matrixStates[tt.state]()
			r.End(at(1), tt.how)
			if tt.heard {
				receive(r, at(2), higher, advertOf(50))
			}
			var codes []string
			for now := at(3); !r.Done(); now = r.Deadline() {
				for _, a := range r.Expire(now) {
					if e, ok := a.(Event); ok {
						codes = append(codes, e.Code)
					}
				}
			}
			if len(codes) != tt.events || tt.events > 0 && codes[0] != tt.code {
				t.Errorf("reported %q, want %d of %q", codes, tt.events, tt.code)
			}
		})
	}
}

func TestHoldings(t *testing.T) {
	c := testConfig()
	c.Lease = true
	r := NewRouter(c)
	r.Startup(epoch, ours)
	if got, want := r.holdings().Lease, 2*3609375*time.Microsecond; got != want {
		t.Errorf("the lease is %s, want twice Master_Down: %s", got, want)
	}
	c.Interval = 100 * time.Millisecond
	r = NewRouter(c)
	r.Startup(epoch, ours)
	if got := r.holdings().Lease; got != 4*second {
		t.Errorf("the shortest lease is %s", got)
	}
	c.Lease = false
	if got := NewRouter(c).holdings().Lease; got != 0 {
		t.Errorf("without the option the lease is %s", got)
	}
	var h Holdings
	for i := range byte(12) {
		h.Addresses = append(h.Addresses, InterfaceAddress{"eth0", netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, 0, i}), 32)})
	}
	few := Holdings{Addresses: h.Addresses[:2]}
	if got, want := few.String(), "10.0.0.0/32 on eth0, 10.0.0.1/32 on eth0"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := h.String(), "10.0.0.9/32 on eth0 and 2 more"; got[len(got)-len(want):] != want {
		t.Errorf("%q does not end in %q", got, want)
	}
	ten := Holdings{Addresses: h.Addresses[:10]}
	if got, want := ten.String(), ", 10.0.0.9/32 on eth0"; got[len(got)-len(want):] != want {
		t.Errorf("all of ten addresses are listed, and no more: %q", got)
	}
	if left := h.without(few, Holdings{Addresses: h.Addresses[4:]}); !left.same(Holdings{Addresses: h.Addresses[2:4]}) || left.empty() {
		t.Errorf("left: %v", left)
	}
}
