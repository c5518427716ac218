package sim_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/lvsd/lvsd/internal/sim"
	"github.com/lvsd/lvsd/vrrp"
)

// settledPair returns two directors that have settled, the first one as Master.
func settledPair(t *testing.T, seed uint64, version uint8) *sim.Network {
	t.Helper()
	n := sim.NewNetwork(seed)
	for _, priority := range []uint8{150, 100} {
		n.Add(vrrp.Config{Name: "outside", Interface: "eth0", VRID: 51, Version: version, Priority: priority, Interval: time.Second,
			Preempt: true, Addresses: []netip.Prefix{netip.MustParsePrefix("10.0.0.100/24")}}).Start()
	}
	if err := n.Run(10 * time.Second); err != nil || n.Settled() != nil {
		t.Fatal(err, n.Settled())
	}
	return n
}

// Attack 2: one forged packet took the address off both directors for 139 s with
// version 3, and for 765 s with version 2.
func TestSimCannotBeSilencedByOnePacket(t *testing.T) {
	for _, tt := range []struct {
		version  uint8
		interval time.Duration
		want     time.Duration // without a Master, at most
	}{
		{3, 40950 * time.Millisecond, 4 * time.Second},
		{2, 255 * time.Second, 4 * time.Second},
		{3, 10 * time.Millisecond, 4 * time.Second},
	} {
		t.Run(fmt.Sprintf("version %d, %s", tt.version, tt.interval), func(t *testing.T) {
			n := settledPair(t, 1, tt.version)
			for _, d := range n.Directors {
				n.Forge(d, netip.MustParseAddr("10.0.0.66"), 255, tt.interval)
			}
			alone := time.Duration(0)
			for step := 10 * time.Millisecond; n.Now() < 60*time.Second; {
				if err := n.Run(step); err != nil {
					t.Fatal(err)
				}
				if n.Directors[0].State() != vrrp.Master && n.Directors[1].State() != vrrp.Master {
					alone += step
				}
			}
			if alone > tt.want {
				t.Errorf("nobody was Master for %s, want at most %s", alone, tt.want)
			}
			if err := n.Settled(); err != nil {
				t.Error(err)
			}
		})
	}
}

// Attack 9: under a flood of adverts of priority 0 the Backup was Master for 0.39 s
// of each second.
func TestSimCannotBeTakenOverByPriority0(t *testing.T) {
	n := settledPair(t, 1, 3)
	rng := rand.New(rand.NewPCG(1, 0))
	for n.Now() < 30*time.Second {
		for _, d := range n.Directors {
			n.Forge(d, netip.MustParseAddr("10.0.0.66"), 0, time.Second)
		}
		if err := n.Run(time.Duration(1+rng.IntN(20)) * time.Millisecond); err != nil {
			t.Fatal(err)
		}
		if err := n.Settled(); err != nil {
			t.Fatalf("at %s: %v", n.Now(), err)
		}
	}
}
