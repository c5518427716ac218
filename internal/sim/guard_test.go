package sim_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/lvsd/lvsd/internal/sim"
	"github.com/lvsd/lvsd/vrrp"
)

// strangers returns two directors of which one has VRRP version 2 and the other one
// version 3: neither accepts the other's adverts. The first is Master.
func strangers(t *testing.T, seed uint64, versions [2]uint8, insist bool) *sim.Network {
	t.Helper()
	n := sim.NewNetwork(seed)
	for i, priority := range []uint8{100, 150} {
		n.Add(vrrp.Config{Name: "outside", Interface: "eth0", VRID: 51, Version: versions[i], Priority: priority, Interval: time.Second,
			Preempt: true, Insist: insist, Addresses: []netip.Prefix{netip.MustParsePrefix("10.0.0.100/24")}})
	}
	n.Directors[0].Start()
	if err := n.Run(5 * time.Second); err != nil || n.Directors[0].State() != vrrp.Master {
		t.Fatal(err, n.Directors[0].State())
	}
	return n
}

// longest lets the time pass, and returns for how long, at a stretch, nobody was
// Master, and both were.
func longest(n *sim.Network, d time.Duration) (none, both time.Duration, err error) {
	const step = 10 * time.Millisecond
	var noneNow, bothNow time.Duration
	for end := n.Now() + d; n.Now() < end && err == nil; {
		err = n.Run(step)
		masters := 0
		for _, d := range n.Directors {
			if d.State() == vrrp.Master {
				masters++
			}
		}
		noneNow, bothNow = noneNow+step, bothNow+step
		if masters > 0 {
			noneNow = 0
		}
		if masters < 2 {
			bothNow = 0
		}
		none, both = max(none, noneNow), max(both, bothNow)
	}
	return none, both, err
}

// masterDown is the shortest that fits both: 3 s and the skew of the lower priority;
// beyond it there may be three questions, and some delay.
const masterDown = 3*time.Second + 610*time.Millisecond + 310*time.Millisecond

// D5, of either version: both directors were Master 3.3 s after the start of the
// second one.
func TestSimOfTwoVersionsHasOneMaster(t *testing.T) {
	for _, versions := range [][2]uint8{{2, 3}, {3, 2}} {
		for seed := range uint64(20) {
			n := strangers(t, seed, versions, false)
			first, second := n.Directors[0], n.Directors[1]
			check := func(what string, d time.Duration, longestNone time.Duration, master *sim.Director) {
				t.Helper()
				none, both, err := longest(n, d)
				if err != nil || both > 0 || none > longestNone || master.State() != vrrp.Master {
					t.Fatalf("versions %v, seed %d, %s: %v; both were Master for %s, nobody for %s, which may be %s; %s is %s",
						versions, seed, what, err, both, none, longestNone, master.Name, master.State())
				}
			}
			second.Start()
			check("the second one starts, and has the higher priority", time.Minute, 0, first)
			first.Crash()
			check("the first one crashes, and its kernel answers on", 10*time.Second, masterDown, second)
			first.Start()
			check("the first one returns, and finds its address on the other one", time.Minute, 0, second)
			second.Stop(false)
			check("the second one is stopped properly, and lets go four seconds later", 30*time.Second, 4*time.Second+masterDown, first)
			second.Start()
			check("the second one returns", 10*time.Second, 0, first)
		}
	}
}

// insist is for a director that has to have the addresses whatever the other does.
func TestSimInsistsByOption(t *testing.T) {
	n := strangers(t, 1, [2]uint8{2, 3}, true)
	n.Directors[1].Start()
	if err := n.Run(10 * time.Second); err == nil || !strings.Contains(err.Error(), "both Master") {
		t.Errorf("%v; %s and %s", err, n.Directors[0].State(), n.Directors[1].State())
	}
}

// An answer alone proves nothing: both directors lost their power, and the kernel of the
// one whose daemon does not come back has the address, or seems to. Master_Down of the
// other one is 3.41 s.
func TestSimAStartDoesNotWaitForWhoeverAnswers(t *testing.T) {
	for seed := range uint64(20) {
		n := strangers(t, seed, [2]uint8{3, 3}, false)
		n.Directors[0].Crash()
		n.Directors[1].Start()
		if err := n.Run(3500 * time.Millisecond); err != nil || n.Directors[1].State() != vrrp.Master || !n.Directors[0].Holds {
			t.Fatalf("seed %d: %v; the second is %s, the first has the address: %t", seed, err, n.Directors[1].State(), n.Directors[0].Holds)
		}
	}
}
