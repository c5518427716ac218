package vrrp

import (
	"fmt"
	"net/netip"
	"testing"
	"time"
)

// Each of these is where a bound is met exactly, or where one of two conditions decides
// alone: mutation has found that no other test looks there.

func TestBoundsThatAreMetExactly(t *testing.T) {
	r := NewRouter(signing(Enforce, func(a *Authentication) { a.Window = 4 * second }))
	r.Startup(epoch, ours)
	for ago, want := range map[time.Duration]uint64{2 * second: 0, 3 * second: 1} {
		r.seals.marks = nil
		r.Receive(epoch, signed(signing(Enforce, nil), epoch.Add(-ago), 200))
		if got := r.Status().Counters.Mismatched[ReasonClock]; got != want {
			t.Errorf("of a window of 4 s, %s is half or less: counted %d times, want %d", ago, got, want)
		}
		delete(r.counters.Mismatched, ReasonClock)
	}

	var a announcements
	a.now(epoch)
	if acts := a.claimed(at(claimedEvery - 1)); acts != nil {
		t.Error("it announces for a claim sooner than every 10 s")
	}
	if acts := a.claimed(at(claimedEvery)); acts == nil {
		t.Error("it does not announce for a claim 10 s later")
	}

	r = NewRouter(testConfig())
	r.Startup(epoch, ours)
	for now, told := range map[time.Time]bool{at(lateEvery): true, at(lateEvery - 1): false} {
		r.noted, r.election.lateAt = map[string]time.Time{AdvertsLate: epoch}, now
		if acts := r.tellLate(now); (acts != nil) != told {
			t.Errorf("a minute after it has told that the Master is late, less %s, it does again: %t", at(lateEvery).Sub(now), acts != nil)
		}
	}
}

// The delay is for a timer that runs: one that is over stays over.
func TestALinkThatIsUpPutsOffNoRouterThatIsReady(t *testing.T) {
	c := testConfig()
	c.LinkUpDelay = time.Minute
	r := NewRouter(c)
	r.Lead(epoch, true)
	r.LinkUp(epoch)
	r.Startup(epoch, ours)
	r.Expire(r.election.masterDownAt)
	if !r.ready() {
		t.Fatal("it is not ready after the delay")
	}
	c.Addresses = append(c.Addresses, netip.MustParsePrefix("10.0.0.101/24"))
	if r.Update(at(time.Minute+2*second), c); !r.ready() {
		t.Error("a reload makes it wait again")
	}
}

// It has given way to one Master, and to no other.
func TestWhoWasThereBefore(t *testing.T) {
	for src, want := range map[netip.Addr]bool{higher: true, lower: false} {
		r := NewRouter(testConfig())
		r.Startup(epoch, ours)
		receive(r, epoch, higher, advertOf(150))
		r.election.yielded = true
		receive(r, at(second), src, advertOf(151))
		if got := r.election.yielded; got != want {
			t.Errorf("after an advert of %s it gives way to whom it has yielded: %t, want %t", src, got, want)
		}
	}
}

// A Master of long standing that meets a better one counts it as any other.
func TestAMasterThatAssertsItselfHasMetAnother(t *testing.T) {
	c := testConfig()
	c.Preempt = false
	r := NewRouter(c)
	r.Startup(epoch, ours)
	receive(r, epoch, higher, advertOf(150))
	r.Expire(r.election.masterDownAt)
	r.adverts.sentAt, r.adverts.nextAt = at(20*second), at(21*second)
	receive(r, at(20*second), higher, advertOf(150))
	if s := r.Status(); s.State != Master || s.Counters.OtherMasters != 1 {
		t.Errorf("it is %s and has met %d", s.State, s.Counters.OtherMasters)
	}
}

func TestWhatIsToldOfAnAuthentication(t *testing.T) {
	keys := []Key{{ID: 3}, {ID: 255}}
	for _, tt := range []struct {
		a    Authentication
		want string
	}{
		{Authentication{}, ""},
		{Authentication{Password: "1111"}, "password"},
		{Authentication{Keys: keys, Signer: 3, Mode: Permissive}, "permissive 3 3 255"},
		{Authentication{Keys: keys, Signer: 3, Mode: ReceiveOnly}, "receive-only 0 3 255"},
	} {
		got := ""
		if s := tt.a.status(); s != nil {
			got = s.Mode
			if len(s.Keys) > 0 {
				got += " " + fmt.Sprint(s.Signer, s.Keys[0], s.Keys[1])
			}
		}
		if got != tt.want {
			t.Errorf("%q, want %q", got, tt.want)
		}
	}
}

func TestWhatAConfigurationIs(t *testing.T) {
	if four, six := MAC(4, 51), MAC(6, 51); four != [6]byte{0, 0, 0x5e, 0, 1, 51} || six != [6]byte{0, 0, 0x5e, 0, 2, 51} {
		t.Errorf("the MAC addresses are %x and %x", four, six)
	}
	c := testConfig()
	c.TTL = 64
	if got := c.ttl(); got != TTL {
		t.Errorf("what is multicast has the TTL %d", got)
	}
	c.Peers = []netip.Addr{higher}
	if got := c.ttl(); got != 64 {
		t.Errorf("what is sent to a peer has the TTL %d", got)
	}
	if got := c.first(); got != c.Addresses[0].Addr() {
		t.Errorf("the first address is %s", got)
	}
	if c.Addresses = nil; c.first().IsValid() {
		t.Error("there is a first one of no addresses")
	}
}

// One gateway that does not answer is one, however many routers of a group look at it.
func TestWhatSeveralMembersOfAGroupTrackCountsOnce(t *testing.T) {
	g := &group{name: "site"}
	for _, name := range []string{"outside", "inside", "backup"} {
		c := testConfig()
		c.Name = name
		g.members = append(g.members, &member{router: NewRouter(c), demands: []demand{{
			Condition: Condition{Name: "ping gateway", Reason: "10.0.0.1 does not answer", Tracked: true},
			Track:     Track{Condition: "ping gateway", Weight: -20}, given: true}}})
	}
	g.members[0].demands = nil
	if all := g.others(g.members[0]); len(all) != 1 {
		t.Errorf("of the others it takes %+v", all)
	}
}
