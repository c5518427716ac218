package sim

import (
	"net/netip"
	"testing"
	"time"

	"github.com/lvsd/lvsd/vrrp"
)

// pairOfGroups is two sites on two networks, without chance but in when timers wake.
func pairOfGroups(seed uint64, change func(*Group)) *Group {
	g := &Group{timeline: newTimeline(seed), delay: 200 * time.Microsecond, lateness: 300 * time.Microsecond, reversed: make([]bool, 2)}
	g.watch = groupWatch{Group: g, since: map[string]time.Duration{}}
	g.checks = append(g.checks, g.watch.check)
	for n := range 2 {
		g.networks = append(g.networks, map[wire]bool{})
		g.members = append(g.members, vrrp.Config{Name: eth(n), SyncGroup: "nat", Interface: eth(n), VRID: 51, Version: 3, Interval: time.Second, Preempt: true,
			Addresses: []netip.Prefix{netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, byte(n), 100}), 24)}})
	}
	if change != nil {
		change(g)
	}
	for n, name := range []string{"lvs1", "lvs2"} {
		s := &Site{Name: name, group: g, number: n, rate: 1, wakeAt: never, down: make([]bool, 2)}
		for _, c := range g.members {
			if c.Priority == 0 {
				c.Priority = uint8(150 - 50*n)
			}
			s.routers = append(s.routers, c)
		}
		g.Sites = append(g.Sites, s)
		g.timers = append(g.timers, timer{s.wakesAt, s.turn})
		s.Start()
	}
	return g
}

// holder is the number of the site that has all, 1 or 2, if the other one has none.
func (g *Group) holder() int {
	_, one := g.Sites[0].standing()
	_, two := g.Sites[1].standing()
	switch {
	case one == 2 && two == 0:
		return 1
	case one == 0 && two == 2:
		return 2
	default:
		return 0
	}
}

func (g *Group) must(t *testing.T, d time.Duration, holder int, what string) {
	t.Helper()
	if err := g.Run(d); err != nil {
		t.Fatal(err)
	}
	if got := g.holder(); got != holder {
		t.Fatalf("%s: after %v site %d has all, want %d", what, d, got, holder)
	}
}

// Where a link of the Master dies, its peer hears in the other network that it leaves,
// and waits no longer than for its next advert. A dead Master takes Master_Down.
func TestSimAGroupMovesAsOne(t *testing.T) {
	const second = time.Second
	for seed := range uint64(40) {
		for network := range 2 {
			g := pairOfGroups(seed, nil)
			g.must(t, 4*second, 1, "the start")
			g.Run(g.upTo(second))
			g.Sites[0].Link(network, false)
			g.must(t, 1300*time.Millisecond, 2, "a link dies")
			g.Sites[0].Link(network, true)
			g.must(t, 3500*time.Millisecond, 1, "it is back")
			g.Sites[0].Stop()
			g.must(t, 700*time.Millisecond, 2, "a proper stop")
			g.must(t, 6*second, 2, "later")
			g.Sites[0].Start()
			g.must(t, 3500*time.Millisecond, 1, "it is started again")
			g.Sites[0].Crash()
			g.must(t, 3700*time.Millisecond, 2, "it dies")
		}
	}
}

// A network between the two fails, and both links are up: whoever has the group keeps
// it, as long as it is heard in the other one.
func TestSimACutBetweenSwitchesMovesNothing(t *testing.T) {
	for seed := range uint64(40) {
		for network := range 2 {
			g := pairOfGroups(seed, nil)
			g.must(t, 4*time.Second, 1, "the start")
			g.networks[network][wire{0, 1}], g.networks[network][wire{1, 0}] = true, true
			for range 20 {
				g.must(t, time.Second, 1, "the cut")
			}
			g.mend()
			g.must(t, 5*time.Second, 1, "it is mended")
		}
	}
}

// Each site is the better one in another network, and they meet at the same moment: both
// leave all, and one is back before the other.
func TestSimSitesThatAreBetterInOneNetworkEach(t *testing.T) {
	for seed := range uint64(100) {
		g := pairOfGroups(seed, func(g *Group) {
			g.reversed[seed%2] = true // in that network, the first site has the higher address
			g.lateness = 0
			for i := range g.members {
				g.members[i].Priority = 100
			}
			for n := range 2 {
				g.networks[n][wire{0, 1}], g.networks[n][wire{1, 0}] = true, true
			}
		})
		g.Run(10*time.Second + g.upTo(time.Second))
		for _, s := range g.Sites {
			if _, masters := s.standing(); masters != 2 {
				t.Fatalf("seed %d: %s is Master of %d", seed, s.Name, masters)
			}
		}
		g.mend()
		if err := g.Run(6 * time.Second); err != nil || g.holder() == 0 {
			t.Fatalf("seed %d: nobody has all: %v", seed, err)
		}
	}
}
