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

// at is a time after the epoch.
func at(d time.Duration) time.Time { return epoch.Add(d) }

// What the matrix leaves out: what an advert says.
func TestSend(t *testing.T) {
	c := testConfig()
	c.Addresses = append(c.Addresses, netip.MustParsePrefix("10.0.0.101/32"))
	c.Extra = []InterfaceAddress{{"eth1", netip.MustParsePrefix("192.168.1.254/24")}}
	r := NewRouter(c)
	got := r.Resume(epoch, ours)
	want := []Action{
		Send{Advert: Advert{Version: 3, VRID: 51, Priority: 100, Interval: time.Second, Addresses: addrs("10.0.0.100", "10.0.0.101")}},
		Hold{Holdings{Addresses: []InterfaceAddress{
			{"eth0", netip.MustParsePrefix("10.0.0.100/24")}, {"eth0", netip.MustParsePrefix("10.0.0.101/32")},
			{"eth1", netip.MustParsePrefix("192.168.1.254/24")},
		}}},
		Announce{},
		Event{At: epoch, Code: BecameMaster, Router: "outside", From: Initialize, To: Master, Text: "resumed as Master"},
	}
	if diff := cmp.Diff(want, got, compareValues); diff != "" {
		t.Errorf("actions (-want +got):\n%s", diff)
	}
}

// "choose what is sent": the form that the peer used last.
func TestSendsThePeersChecksum(t *testing.T) {
	r := NewRouter(testConfig())
	r.Resume(epoch, ours)
	for i, plainSum := range []bool{true, false} {
		ad := advertOf(50)
		ad.PlainChecksum = plainSum
		acts := receive(r, at(time.Duration(i)*time.Millisecond), lower, ad)
		if got := acts[0].(Send).Advert.PlainChecksum; got != plainSum {
			t.Errorf("after an advert whose checksum is plain, %t, ours is, %t", plainSum, got)
		}
	}
	stranger := advertOf(50)
	stranger.VRID, stranger.PlainChecksum = 52, true
	receive(r, at(time.Second), lower, stranger)
	if r.adverts.plainSum {
		t.Error("a stranger's advert changed the form")
	}
}

func TestTimers(t *testing.T) {
	tests := []struct {
		name             string
		version          uint8
		priority         uint8
		interval         time.Duration
		skew, masterDown time.Duration
	}{
		{"RFC 9568 6.1: ((256 - priority) * Active_Adver_Interval) / 256", 3, 100, time.Second, 609375 * time.Microsecond, 3609375 * time.Microsecond},
		{"RFC 9568 6.1, 100 ms", 3, 150, 100 * time.Millisecond, 41406250, 341406250},
		{"RFC 9568 6.1, owner", 3, 255, time.Second, 3906250, 3003906250},
		{"RFC 9568 6.1, the longest", 3, 1, 40950 * time.Millisecond, 40950 * time.Millisecond * 255 / 256, 40950*time.Millisecond*3 + 40950*time.Millisecond*255/256},
		{"RFC 3768 6.1: (256 - Priority) / 256 seconds", 2, 100, 5 * time.Second, 609375 * time.Microsecond, 15609375 * time.Microsecond},
	}
	for _, tt := range tests {
		r := NewRouter(Config{Version: tt.version, Priority: tt.priority, Interval: tt.interval})
		r.election.interval = tt.interval
		if r.election.skew(&r.c) != tt.skew || r.election.masterDown(&r.c) != tt.masterDown {
			t.Errorf("%s: skew %s, down %s, want %s and %s", tt.name, r.election.skew(&r.c), r.election.masterDown(&r.c), tt.skew, tt.masterDown)
		}
	}
}

// A sequence is a story in steps: when, what, and what comes of it.
type step struct {
	at    time.Duration
	event string
	want  string
}

func play(t *testing.T, r *Router, steps []step) {
	t.Helper()
	for _, s := range steps {
		acts, ok := matrixEvents[s.event]
		if !ok {
			t.Fatalf("no event %q", s.event)
		}
		if got := script(acts(r, at(s.at))) + " -> " + condition(r); got != s.want {
			t.Errorf("at %s, %s: %s, want %s", s.at, s.event, got, s.want)
		}
	}
}

func TestStories(t *testing.T) {
	second := time.Second
	tests := []struct {
		name  string
		edit  func(c *Config)
		steps []step
	}{
		{"the preemption delay counts from the first worse advert", func(c *Config) { c.PreemptDelay = 5 * second }, []step{
			{0, "startup", "Backup -> Backup 3.609375s"},
			{1 * second, "advert, lower", " -> Backup 4.609375s"},
			{4 * second, "advert, lower", " -> Backup 6s"},
			{6 * second, "timer, early", "send 100, hold, announce, Master -> Master+ 7s"},
		}},
		{"a delay shorter than Master_Down does not preempt sooner than none", func(c *Config) { c.PreemptDelay = second }, []step{
			{0, "startup", "Backup -> Backup 3.609375s"},
			{1 * second, "advert, lower", " -> Backup 3.609375s"},
			{3 * second, "advert, lower", " -> Backup 3.609375s"},
		}},
		{"a better Master ends the delay", func(c *Config) { c.PreemptDelay = 4 * second }, []step{
			{0, "startup", "Backup -> Backup 3.609375s"},
			{1 * second, "advert, lower", " -> Backup 4.609375s"},
			{2 * second, "advert, higher", " -> Backup 5.609375s"},
			{3 * second, "advert, lower", " -> Backup 5.609375s"}, // the better one answers it
		}},
		{"worse adverts do not put off a router that preempts at once", nil, []step{
			{0, "startup", "Backup -> Backup 3.609375s"},
			{3 * second, "advert, lower", " -> Backup 3.609375s"},
		}},
		{"a Master that leaves twice does not put us off", nil, []step{
			{0, "startup", "Backup -> Backup 3.609375s"},
			{0, "advert, equal, higher source", "note -> Backup 3.609375s"},
			{0, "advert, priority 0", " -> Backup 609.375ms"},
			{500 * time.Millisecond, "advert, priority 0", " -> Backup 609.375ms"},
		}},
		{"beaten and Master again within the 50 ms, the addresses stay", func(c *Config) { c.Interval = 10 * time.Millisecond }, []step{
			{0, "resume", "send 100, hold, announce, Master -> Master+ 10ms"},
			{5 * time.Millisecond, "advert, higher", "Backup, note -> Backup+ 55ms"},
			{6 * time.Millisecond, "advert, priority 0", " -> Backup+ 55ms"},
		}},
		{"announcements in a quarrel are a second apart", nil, []step{
			{0, "resume", "send 100, hold, announce, Master -> Master+ 1s"},
			{100 * time.Millisecond, "timer, early", "announce -> Master+ 1s"},
			{101 * time.Millisecond, "advert, lower", "send 100 -> Master+ 1s"},
			{200 * time.Millisecond, "advert, lower", "send 100 -> Master+ 1s"},
			{1000 * time.Millisecond, "timer, early", "send 100 -> Master+ 1.101s"},
			{1101 * time.Millisecond, "timer, early", "announce -> Master+ 2s"},
			{1200 * time.Millisecond, "advert, lower", "send 100, note -> Master+ 2s"},
			{2000 * time.Millisecond, "timer, early", "send 100 -> Master+ 2.2s"},
			{2150 * time.Millisecond, "advert, lower", "send 100, announce -> Master+ 3s"},
		}},
		{"a new Master announces again when its predecessor has let go, and after five seconds", func(c *Config) { c.Interval = 40 * second }, []step{
			{0, "resume", "send 100, hold, announce, Master -> Master+ 5s"},
			{99 * time.Millisecond, "timer, early", " -> Master+ 5s"},
			{100 * time.Millisecond, "timer, early", "announce -> Master+ 5s"},
			{5 * second, "timer, early", "announce -> Master+ 40s"},
		}},
		{"three intervals late: a short look at what has arrived", nil, []step{
			{0, "resume", "send 100, hold, announce, Master -> Master+ 1s"},
			{3 * second, "timer, early", "note -> Master+ listening 3.125s"},
			{3125 * time.Millisecond, "timer, early", "send 100, hold, announce -> Master+ 4.125s"},
		}},
		{"less than three intervals late: on as before", nil, []step{
			{0, "resume", "send 100, hold, announce, Master -> Master+ 1s"},
			{2999 * time.Millisecond, "timer, early", "send 100, announce -> Master+ 3.999s"},
		}},
		{"a stalled Master that reads first lets go at once", nil, []step{
			{0, "resume", "send 100, hold, announce, Master -> Master+ 1s"},
			{5 * second, "advert, lower", "note, release, Backup -> Backup 8.609375s"},
		}},
		{"a stalled Master that is reconfigured first says nothing", nil, []step{
			{0, "resume", "send 100, hold, announce, Master -> Master+ 1s"},
			{5 * second, "update, priority 200", "note -> Master+ listening 6.25s"},
			{5 * second, "update, addresses", "hold -> Master+ listening 6.25s"},
		}},
		{"a Master that stalls again while it listens listens again", nil, []step{
			{0, "resume", "send 100, hold, announce, Master -> Master+ 1s"},
			{5 * second, "timer, early", "note -> Master+ listening 6.25s"},
			{10 * second, "timer, early", " -> Master+ listening 11.25s"},
		}},
		{"a Backup that is always a little late takes over all the same", nil, []step{
			{0, "startup", "Backup -> Backup 3.609375s"},
			{3909375 * time.Microsecond, "timer, early", "note -> Backup listening 4.034375s"},
			{4334375 * time.Microsecond, "timer, early", "send 100, hold, announce, Master -> Master+ 5.334375s"},
		}},
		{"two routers that both believe to be the better one do not answer each other for ever", nil, []step{
			{0, "resume", "send 100, hold, announce, Master -> Master+ 1s"},
			{1 * time.Millisecond, "advert, lower", "send 100 -> Master+ 1s"},
			{2 * time.Millisecond, "advert, lower", "send 100 -> Master+ 1s"},
			{3 * time.Millisecond, "advert, lower", "send 100 -> Master+ 1s"},
			{4 * time.Millisecond, "advert, priority 0", "send 100 -> Master+ 1.001s"},
			{5 * time.Millisecond, "advert, lower", " -> Master+ 1.001s"},
			{6 * time.Millisecond, "advert, priority 0", " -> Master+ 1.001s"},
			{1004 * time.Millisecond, "timer, early", "send 100, announce -> Master+ 2.004s"},
			{1005 * time.Millisecond, "advert, lower", "send 100, note -> Master+ 2.004s"},
		}},
		{"a fault that ends before a successor came calls the hand-over off", nil, []step{
			{0, "resume", "send 100, hold, announce, Master -> Master+ 1s"},
			{0, "fault", "send 0, Initialize -> Initialize+ 4s"},
			{1 * second, "startup", "Backup -> Backup+ 4.609375s"},
			{4609375 * time.Microsecond, "timer, early", "send 100, hold, announce, Master -> Master+ 5.609375s"},
		}},
		{"update while handing over changes nothing of it", nil, []step{
			{0, "resume", "send 100, hold, announce, Master -> Master+ 1s"},
			{0, "stop", "send 0, Initialize -> Initialize+ 4s"},
			{1 * second, "update, addresses", " -> Initialize+ 4s"},
			{2 * second, "advert, lower", "note -> Initialize+ 2.05s"},
			{2050 * time.Millisecond, "timer, early", "release, note -> Initialize done"},
		}},
		{"stopped while beaten and still answering: the 50 ms are kept, nothing is sent", nil, []step{
			{0, "resume", "send 100, hold, announce, Master -> Master+ 1s"},
			{0, "advert, higher", "Backup -> Backup+ 50ms"},
			{10 * time.Millisecond, "stop", "Initialize -> Initialize+ 50ms"},
			{50 * time.Millisecond, "timer, early", "release -> Initialize done"},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := testConfig()
			if tt.edit != nil {
				tt.edit(&c)
			}
			play(t, NewRouter(c), tt.steps)
		})
	}
}

// RFC 9568 section 7.1, the checks that need the configuration.
func TestReceiveRefuses(t *testing.T) {
	tests := []struct {
		name string
		src  netip.Addr
		edit func(a *Advert)
		want Reason
	}{
		{"the VRID is configured on the interface", higher, func(a *Advert) { a.VRID = 52 }, ReasonVRID},
		{"the version is ours", higher, func(a *Advert) { a.Version = 2 }, ReasonVersion},
		{"it is not our own", ours, func(*Advert) {}, ReasonOwnAddress},
		{"it is not our own, mapped into IPv6", netip.AddrFrom16(ours.As16()), func(*Advert) {}, ReasonOwnAddress},
		{"the family is ours", netip.MustParseAddr("fe80::9"), func(a *Advert) { a.Addresses = addrs("fe80::100") }, ReasonFamily},
		{"a unicast advert is from a configured peer", netip.MustParseAddr("10.0.0.9"), func(*Advert) {}, ReasonNotPeer},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := testConfig()
			c.Peers = []netip.Addr{higher}
			r := NewRouter(c)
			r.Resume(epoch, ours)
			before := condition(r)
			ad := advertOf(200)
			tt.edit(&ad)
			for i := range 3 {
				acts := receive(r, at(time.Duration(i)*time.Millisecond), tt.src, ad)
				if want := []string{"note", "", ""}[i]; script(acts) != want {
					t.Errorf("time %d: %v, want %q", i+1, acts, want)
				}
			}
			if got := r.Status().Counters; got.Discarded[tt.want] != 3 || got.AdvertsReceived != 0 {
				t.Errorf("counted as %v, %d received", got.Discarded, got.AdvertsReceived)
			}
			if condition(r) != before {
				t.Errorf("the state is now %s, was %s", condition(r), before)
			}
		})
	}
	r := NewRouter(Config{VRID: 1, Version: 3, Priority: 100, Interval: time.Second, Peers: []netip.Addr{netip.MustParseAddr("fe80::9%eth0")},
		Addresses: []netip.Prefix{netip.MustParsePrefix("2001:db8::1/64")}})
	r.Startup(epoch, netip.MustParseAddr("fe80::1%eth0"))
	receive(r, epoch, netip.MustParseAddr("fe80::9%eth0"), Advert{Version: 3, VRID: 1, Priority: 200, Interval: time.Second, Addresses: addrs("2001:db8::1")})
	if got := r.Status(); got.Counters.AdvertsReceived != 1 || got.Master != netip.MustParseAddr("fe80::9") {
		t.Errorf("a link-local peer with a zone is not recognised: %+v", got)
	}
}

func TestDiscardCounts(t *testing.T) {
	r := NewRouter(testConfig())
	short := Packet{Src: higher, Dst: Group4, TTL: TTL, Payload: []byte{0x31}}
	acts := r.Receive(epoch, short)
	if n, ok := acts[0].(Event); !ok || !strings.Contains(n.Text, "10.0.0.3") {
		t.Errorf("the first one is told as %v", acts)
	}
	if acts := r.Receive(epoch, short); len(acts) != 0 {
		t.Errorf("the second one is told again: %v", acts)
	}
	if acts := r.Receive(at(noteEvery), short); len(acts) != 1 {
		t.Errorf("an hour later nothing is told: %v", acts)
	}
	if got := r.Status().Counters.Discarded[ReasonLength]; got != 3 {
		t.Errorf("counted %d times", got)
	}
}

// A router that was about to preempt a worse Master, and then may not, counts
// from that Master's last advert.
func TestPreemptionTurnedOff(t *testing.T) {
	r := NewRouter(testConfig())
	r.Startup(epoch, ours)
	receive(r, at(3*time.Second), lower, advertOf(50))
	c := testConfig()
	c.Preempt = false
	r.Update(at(3500*time.Millisecond), c)
	if got, want := afterLate(r).Deadline().Sub(epoch), 6609375*time.Microsecond; got != want {
		t.Errorf("Master_Down at %s, want %s", got, want)
	}
}

func TestTakenOver(t *testing.T) {
	for _, answered := range []bool{true, false} {
		r := NewRouter(testConfig())
		r.Resume(epoch, ours)
		r.End(epoch, Abandoned)
		if answered {
			receive(r, at(time.Second), higher, advertOf(50))
		}
		for !r.Done() {
			r.Expire(afterLate(r).Deadline())
		}
		if r.TakenOver() != answered || r.Holding() == answered {
			t.Errorf("answered=%t: taken over=%t, addresses held=%t", answered, r.TakenOver(), r.Holding())
		}
	}
}

func TestStatus(t *testing.T) {
	c := testConfig()
	c.Extra = []InterfaceAddress{{"eth1", netip.MustParsePrefix("192.168.1.254/24")}}
	r := NewRouter(c)
	if got := r.Status(); got.State != Initialize || got.Fault == "" || r.Holding() || got.Master.IsValid() {
		t.Errorf("before the start: %+v", got)
	}
	r.Startup(epoch, ours)
	receive(r, at(time.Second), higher, advertOf(150))
	if got := r.Status(); got.Master != higher || got.MasterPriority != 150 || got.Fault != "" {
		t.Errorf("as Backup: %+v", got)
	}
	r.Expire(afterLate(r).Deadline())
	got := r.Status()
	if got.Master != ours || got.MasterPriority != 100 || !r.Holding() || len(got.Addresses) != 2 || got.Counters.BecameMaster != 1 {
		t.Errorf("as Master: %+v", got)
	}
	receive(r, at(time.Second), ours, advertOf(150))
	got = r.Status()
	got.Counters.Discarded["x"] = 1
	if r.Status().Counters.Discarded["x"] != 0 {
		t.Error("the status shares its counters with the router")
	}
	r.Fault(at(time.Minute), "interface eth1 is down", false)
	if got := r.Status(); got.Fault != "interface eth1 is down" || !r.Holding() || got.Master.IsValid() || got.Counters.LeftMaster != 1 {
		t.Errorf("faulted: %+v", got)
	}
}

func ExampleRouter() {
	r := NewRouter(Config{Version: 3, VRID: 51, Priority: 150, Interval: time.Second, Preempt: true,
		Addresses: []netip.Prefix{netip.MustParsePrefix("10.13.0.200/24")}})
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, a := range r.Startup(start, netip.MustParseAddr("10.13.0.15")) {
		fmt.Println(a)
	}
	fmt.Println(r.Deadline().Sub(start))
	for _, a := range r.Expire(r.Deadline()) {
		fmt.Println(a)
	}
	// Output:
	// Initialize -> Backup: started
	// 3.4140625s
	// send advert priority 150 interval 1s
	// hold addresses
	// announce addresses
	// Backup -> Master: no adverts from any Master
}

func TestOnlyMastersThatWeDoNotGiveWayToAreCountedAsOthers(t *testing.T) {
	for _, tt := range []struct {
		name     string
		priority uint8
		want     uint64
	}{
		{"a lesser one, which has the addresses too", 50, 1},
		{"one that leaves has let them go, or will", 0, 0},
		{"a greater one is given way to", 200, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := NewRouter(testConfig())
			r.Startup(epoch, ours)
			at := afterLate(r).Deadline()
			r.Expire(at)
			receive(r, at.Add(time.Second/2), higher, advertOf(tt.priority))
			if got := r.Status().Counters; got.BecameMaster != 1 || got.OtherMasters != tt.want {
				t.Errorf("was Master %d times and met %d others, want 1 and %d", got.BecameMaster, got.OtherMasters, tt.want)
			}
		})
	}
}

// One that does not preempt may assert itself for two intervals, and then gives way:
// what lasts longer than that is told.
func TestWhenAnotherMasterIsNews(t *testing.T) {
	for _, tt := range []struct {
		preempt bool
		after   time.Duration
		want    string
	}{
		{true, time.Second - 1, ""},
		{true, time.Second, "note"},
		{false, 3*time.Second - 1, ""},
		{false, 3 * time.Second, "note"},
	} {
		r := aMaster(func(c *Config) { c.Preempt = tt.preempt })
		r.meet(epoch, lower, advertOf(50))
		if got := script(r.meet(at(tt.after), lower, advertOf(50))); got != tt.want {
			t.Errorf("preempt = %t, met for %v: %q, want %q", tt.preempt, tt.after, got, tt.want)
		}
	}
}

func TestAnotherIDForAnAddressOfThisRouter(t *testing.T) {
	for _, tt := range []struct {
		name     string
		state    string
		priority uint8
		others   uint64
		acts     string
	}{
		{"each of the two has the address", "master", 50, 1, "note"},
		{"a Backup will have it too", "backup", 50, 0, "note"},
		{"one that leaves lets it go", "master", 0, 0, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := matrixStates[tt.state]()
			ad := advertOf(tt.priority)
			ad.VRID = 77
			acts := r.Dispute(at(time.Millisecond), lower, ad, ad.Addresses[0])
			if got := r.Status().Counters.OtherMasters; script(acts) != tt.acts || got != tt.others {
				t.Errorf("%q and %d other Masters, want %q and %d", script(acts), got, tt.acts, tt.others)
			}
			const lasts = "10.0.0.1 advertises 10.0.0.100 too, but with virtual router id 77 instead of 51"
			if got := r.dispute.lasting(at(4 * time.Second)); (got == lasts) != (tt.acts != "") {
				t.Errorf("in dispute: %q", got)
			}
			if got := r.dispute.lasting(at(4*time.Second + time.Millisecond)); got != "" {
				t.Errorf("after four intervals, still in dispute: %q", got)
			}
		})
	}
}

// What is counted can be counted, with keys and without.
func TestEveryReasonHasAName(t *testing.T) {
	for _, keys := range []bool{false, true} {
		discarded, mismatched := Reasons(keys)
		if slices.Contains(discarded, ReasonHMACWrong) != keys || slices.Contains(mismatched, ReasonUnsigned) != keys ||
			!slices.Contains(discarded, ReasonTTL) || !slices.Contains(mismatched, ReasonPriority) {
			t.Errorf("with keys: %t: %v, %v", keys, discarded, mismatched)
		}
	}
}
