package vrrp

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
)

// aMaster is a router that became Master at the epoch, and from then on has time pass.
func aMaster(edit func(*Config)) *Router {
	c := testConfig()
	if edit != nil {
		edit(&c)
	}
	r := NewRouter(c)
	r.Resume(epoch, ours)
	return r
}

// until lets the timers of a router expire, and returns what it asks, and when.
func until(r *Router, end time.Time) (asked []string) {
	for now := r.Deadline(); now.Before(end); now = r.Deadline() {
		for _, a := range r.Expire(now) {
			if a, ok := a.(Ask); ok {
				asked = append(asked, fmt.Sprintf("%s %s %s", now.Sub(epoch), a.Interface, a.Address))
			}
		}
	}
	return asked
}

// The lease of a Master with an interval of a second is 7.2 s long.
func TestAMasterAsksWhoElseHasItsAddresses(t *testing.T) {
	for _, tt := range []struct {
		name string
		edit func(*Config)
		want []string
	}{
		{"one address", nil, []string{"8s eth0 10.0.0.100", "38s eth0 10.0.0.100", "1m8s eth0 10.0.0.100"}},
		{"two, of which one is the servers' gateway", func(c *Config) {
			c.Extra = []InterfaceAddress{{"eth1", netip.MustParsePrefix("192.168.1.254/24")}}
		}, []string{"8s eth0 10.0.0.100", "23s eth1 192.168.1.254", "38s eth0 10.0.0.100", "53s eth1 192.168.1.254", "1m8s eth0 10.0.0.100"}},
		{"adverts that are seldom", func(c *Config) { c.Interval = 40 * time.Second }, nil},
	} {
		if got := until(aMaster(tt.edit), at(80*time.Second)); !slices.Equal(got, tt.want) {
			t.Errorf("%s: asked %q, want %q", tt.name, got, tt.want)
		}
	}
	many := aMaster(func(c *Config) {
		for i := range 99 {
			c.Addresses = append(c.Addresses, netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, 1, byte(i)}), 24))
		}
	})
	asked := until(many, at(118*time.Second))
	if got := len(slices.Compact(slices.Sorted(slices.Values(asked)))); got < 90 || got > 110 {
		t.Errorf("a hundred addresses: %d questions in 110 s, want one each second", got)
	}
}

func TestWhoElseHasAnAddressOfAMaster(t *testing.T) {
	vip := netip.MustParseAddr("10.0.0.100")
	claim := Claim{"eth0", vip, "52:54:00:00:00:02"}
	r := aMaster(nil)
	if acts := r.Claim(at(7*time.Second), claim); acts != nil || len(r.rivalsOf(at(7*time.Second))) != 0 {
		t.Errorf("a predecessor that died answers until its lease is over, and is no rival: %v", acts)
	}
	lease := 7218750 * time.Microsecond
	if acts := r.Claim(at(lease-1), claim); acts != nil {
		t.Errorf("its lease is not over: %v", acts)
	}
	if r := aMaster(nil); len(r.Claim(at(lease), claim)) != 1 {
		t.Error("its lease is over, and whoever answers is not told")
	}
	until(r, at(10*time.Second))
	now := at(10 * time.Second)
	acts := r.Claim(now, claim)
	if len(acts) != 1 || !strings.Contains(acts[0].String(), "52:54:00:00:00:02 has 10.0.0.100 too, which this Master holds") {
		t.Errorf("it tells %v", acts)
	}
	if acts := r.Claim(now.Add(time.Second), claim); acts != nil {
		t.Errorf("it tells it again: %v", acts)
	}
	if r.State() != Master {
		t.Fatalf("it is %s: nobody gives way to ARP", r.State())
	}
	want := "[{10.0.0.100 52:54:00:00:00:02 invalid IP  2s}]"
	if got := fmt.Sprint(r.rivalsOf(now.Add(3 * time.Second))); got != want {
		t.Errorf("rivals %s, want %s", got, want)
	}
	r.Receive(now, strange(nil))
	if got := fmt.Sprint(r.rivalsOf(now.Add(time.Second))); got != "[{10.0.0.100  10.0.0.3 version 1s} {10.0.0.100 52:54:00:00:00:02 invalid IP  0s}]" {
		t.Errorf("with a Master that is not understood: %s", got)
	}
	const down = 3609375 * time.Microsecond
	if got := len(r.rivalsOf(now.Add(down - 1))); got != 2 {
		t.Errorf("within its Master_Down %d rivals, want 2", got)
	}
	if got := r.rivalsOf(now.Add(down)); len(got) != 1 || got[0].Master.IsValid() {
		t.Errorf("its adverts have ended: %v", got)
	}
	receive(r, now, higher, advertOf(200))
	if got := r.rivalsOf(now); got != nil {
		t.Errorf("a %s has no rivals: %v", r.State(), got)
	}
}

// A claim outlasted its cause by 90 s, and nothing told of its end.
func TestAClaimEndsSoonAfterItsCause(t *testing.T) {
	vip, second := netip.MustParseAddr("10.0.0.100"), netip.MustParseAddr("10.0.0.101")
	type answering struct {
		from, until time.Duration
		addresses   []netip.Addr
	}
	const (
		claimed  = " address-claimed"
		unheard  = " address-unclaimed"
		forHours = 10 * time.Minute
	)
	for _, tt := range []struct {
		name       string
		addresses  int
		rival      answering
		gratuitous []time.Duration // it tells by itself
		deaf       bool            // questions cannot be sent
		want       []string
	}{
		{"nobody", 1, answering{}, nil, false, nil},
		{"a real server that answers, until it is mended", 1, answering{0, 100 * time.Second, []netip.Addr{vip}}, nil, false,
			[]string{"8s" + claimed, "1m49s" + unheard}},
		{"it answers, is mended and answers again", 1, answering{0, 100 * time.Second, []netip.Addr{vip}}, []time.Duration{200 * time.Second}, false,
			[]string{"8s" + claimed, "1m49s" + unheard, "3m20s" + claimed, "4m50s" + unheard}},
		{"one of two is mended", 2, answering{0, forHours, []netip.Addr{vip}}, []time.Duration{50 * time.Second}, false,
			[]string{"8s" + claimed}},
		{"with several addresses, the last one ends it", 2, answering{0, 100 * time.Second, []netip.Addr{vip, second}}, nil, false,
			[]string{"8s" + claimed, "1m50s" + unheard}},
		{"one that tells, but does not answer", 1, answering{}, []time.Duration{20 * time.Second, 80 * time.Second}, false,
			[]string{"20s" + claimed, "2m50s" + unheard}},
		{"silence after questions that were not sent tells nothing", 1, answering{0, 15 * time.Second, []netip.Addr{vip}}, nil, true,
			[]string{"8s" + claimed}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := aMaster(func(c *Config) {
				if tt.addresses == 2 {
					c.Addresses = append(c.Addresses, netip.PrefixFrom(second, 24))
				}
			})
			var told []string
			note := func(now time.Time, acts []Action) {
				for _, a := range acts {
					if e, ok := a.(Event); ok && strings.HasPrefix(e.Code, "address-") {
						told = append(told, now.Sub(epoch).Round(time.Second).String()+" "+e.Code)
					}
				}
			}
			claim := func(now time.Time, address netip.Addr) {
				note(now, r.Claim(now, Claim{"eth0", address, "52:54:00:00:00:02"}))
			}
			for now := r.Deadline(); now.Before(at(5 * time.Minute)); now = r.Deadline() {
				acts := r.Expire(now)
				note(now, acts)
				for _, a := range acts {
					a, ok := a.(Ask)
					if !ok {
						continue
					}
					var failure error
					if tt.deaf && !now.Before(at(tt.rival.until)) {
						failure = errors.New("no buffer space available")
					}
					r.Asked(now, a, failure)
					if since := now.Sub(epoch); since >= tt.rival.from && since < tt.rival.until && slices.Contains(tt.rival.addresses, a.Address) {
						claim(now.Add(time.Millisecond), a.Address)
					}
				}
				for _, g := range tt.gratuitous {
					if now.Equal(at(g)) {
						claim(now, r.c.Addresses[len(r.c.Addresses)-1].Addr())
					}
				}
			}
			if !slices.Equal(told, tt.want) {
				t.Errorf("told %q, want %q", told, tt.want)
			}
		})
	}
}

// An announcement is sent several times, and is no answer; nor is what comes long after
// a question.
func TestWhatCountsAsAnAnswer(t *testing.T) {
	vip := netip.MustParseAddr("10.0.0.100")
	const asked = 3 * time.Second
	for _, tt := range []struct {
		name  string
		asked bool
		at    time.Duration
		want  bool
	}{
		{"an announcement that is repeated", false, time.Millisecond, false},
		{"the first word after a question", true, asked, true},
		{"the last moment for it", true, asked + time.Second - 1, true},
		{"an announcement, a second after a question", true, asked + time.Second, false},
	} {
		var c claims
		c.note(epoch, vip, "52:54:00:00:00:02")
		if tt.asked {
			c.put(at(asked), vip, true)
		}
		c.note(at(tt.at), vip, "52:54:00:00:00:02")
		if got := c.all[vip].answers; got != tt.want {
			t.Errorf("%s: an answer: %t, want %t", tt.name, got, tt.want)
		}
	}
}

// Whoever tells without answering is asked three times and then, as all are, each 30 s;
// however often adverts are sent, it is one question each second at most.
func TestHowOftenAnAddressIsAskedFor(t *testing.T) {
	for _, tt := range []struct {
		addresses int
		want      int
	}{
		{1, 3},
		{30, 20 + 17}, // of the usual ones, and of these, which begin after 3 s
	} {
		r := aMaster(func(c *Config) {
			c.Interval = 100 * time.Millisecond
			for i := range tt.addresses - 1 {
				c.Addresses = append(c.Addresses, netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, 1, byte(i)}), 24))
			}
		})
		asked := 0
		until(r, at(33*time.Second))
		for _, a := range r.holdings().Addresses {
			r.Claim(at(33*time.Second), Claim{"eth0", a.Prefix.Addr(), "52:54:00:00:00:02"})
		}
		for now := r.Deadline(); now.Before(at(53 * time.Second)); now = r.Deadline() {
			for _, a := range r.Expire(now) {
				if a, ok := a.(Ask); ok {
					r.Asked(now, a, nil)
					asked++
				}
			}
		}
		if asked != tt.want {
			t.Errorf("%d addresses: asked %d times in 20 s, want %d", tt.addresses, asked, tt.want)
		}
	}
}

// With one question each second and an advert, a hundred addresses take long to ask for.
func TestAClaimThatCameByItselfCountsUntilItsAddressWasAskedForThreeTimes(t *testing.T) {
	for _, tt := range []struct {
		addresses      int
		interval, want time.Duration
	}{
		{1, time.Second, 90 * time.Second},
		{15, time.Second, 90 * time.Second},
		{100, time.Second, 600 * time.Second},
		{100, 4 * time.Second, 1200 * time.Second},
	} {
		var held []InterfaceAddress
		for i := range byte(tt.addresses) {
			held = append(held, InterfaceAddress{"eth0", netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, 0, i}), 24)})
		}
		var c claims
		c.note(epoch, held[0].Prefix.Addr(), "52:54:00:00:00:02")
		if _, over := c.end(at(tt.want-1), held, tt.interval); over || len(c.lasting(at(tt.want-1), held)) != 1 {
			t.Errorf("%d addresses, adverts every %s: it is forgotten before %s are over", tt.addresses, tt.interval, tt.want)
		}
		if _, over := c.end(at(tt.want), held, tt.interval); !over || len(c.lasting(at(tt.want), held)) != 0 {
			t.Errorf("%d addresses, adverts every %s: it lasts longer than %s", tt.addresses, tt.interval, tt.want)
		}
	}
}

// Somebody who answers for everything, as a router with proxy ARP does, costs no more
// than one question each second, and every address has its turn.
func TestManyClaimsAreAskedForInTurn(t *testing.T) {
	r := aMaster(func(c *Config) {
		for i := range 19 {
			c.Addresses = append(c.Addresses, netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, 1, byte(i)}), 24))
		}
	})
	until(r, at(10*time.Second))
	for _, a := range r.holdings().Addresses {
		r.Claim(at(10*time.Second), Claim{"eth0", a.Prefix.Addr(), "52:54:00:00:00:02"})
	}
	asked := make(map[netip.Addr]int)
	for now := r.Deadline(); now.Before(at(50 * time.Second)); now = r.Deadline() {
		n := 0
		for _, a := range r.Expire(now) {
			if a, ok := a.(Ask); ok {
				r.Asked(now, a, nil)
				r.Claim(now, Claim{"eth0", a.Address, "52:54:00:00:00:02"})
				asked[a.Address]++
				n++
			}
		}
		if n > 2 {
			t.Errorf("%d questions with one advert", n)
		}
	}
	for address, n := range asked {
		if n < 2 || n > 6 || len(asked) != 20 {
			t.Errorf("%s was asked for %d times in 40 s, and %d addresses were", address, n, len(asked))
		}
	}
	r.Update(at(50*time.Second), testConfig())
	until(r, at(52*time.Second))
	if got := len(r.claims.all); got != 1 {
		t.Errorf("a reload leaves one address, and %d claims", got)
	}
}

// Whoever answers for an address of a Master concerns it; a Backup listens to answers
// only for the address of a Master that it does not understand.
func TestWhoseAnswersAreListenedTo(t *testing.T) {
	vip := netip.MustParseAddr("10.0.0.100")
	two := func(c *Config) {
		c.Extra = []InterfaceAddress{{"eth1", netip.MustParsePrefix("192.168.1.254/24")}}
	}
	all := []Ask{{"eth0", vip}, {"eth1", netip.MustParseAddr("192.168.1.254")}}
	r := aMaster(two)
	if got := r.watched(); !slices.Equal(got, all) {
		t.Errorf("a Master watches %v, want %v", got, all)
	}
	receive(r, at(time.Second), higher, advertOf(200))
	if got := r.watched(); len(got) != 0 {
		t.Errorf("a %s watches %v", r.State(), got)
	}
	r.Receive(at(2*time.Second), strange(nil))
	if got := r.watched(); !slices.Equal(got, all[:1]) {
		t.Errorf("a Backup beside a stranger watches %v, want %v", got, all[:1])
	}
}

func TestAMasterThatCannotAskItsNeighboursSaysSoOnce(t *testing.T) {
	r := aMaster(nil)
	refused := errors.New("operation not permitted")
	for i, tt := range []struct {
		err  error
		want string
	}{
		{nil, ""},
		{refused, "cannot ask the neighbours who else has its addresses: operation not permitted"},
		{refused, ""},
		{nil, "can ask the neighbours again who else has its addresses"},
		{nil, ""},
		{refused, "cannot ask the neighbours who else has its addresses: operation not permitted"},
	} {
		var got []string
		for _, a := range r.Asked(at(time.Duration(i)*second), Ask{}, tt.err) {
			got = append(got, a.(Event).Text)
		}
		if strings.Join(got, "; ") != tt.want {
			t.Errorf("question %d: it tells %q, want %q", i, got, tt.want)
		}
	}
}
