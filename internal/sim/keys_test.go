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

// keys are those of a configuration, with texts by their ids.
func keys(ids ...uint8) (all []vrrp.Key) {
	for _, id := range ids {
		all = append(all, vrrp.Key{ID: id, Secret: vrrp.NewSecret(fmt.Sprintf("key %d of more than thirty-two bytes", id))})
	}
	return all
}

// signed is an authentication by keys, with a window of 5 s.
func signed(mode vrrp.AuthMode, signer uint8, ids ...uint8) vrrp.Authentication {
	return vrrp.Authentication{Mode: mode, Signer: signer, Keys: keys(ids...), Window: 5 * time.Second}
}

// keyedPair starts two directors, of which the first is Master.
func keyedPair(t *testing.T, seed uint64, a vrrp.Authentication) *sim.Network {
	t.Helper()
	n := sim.NewNetwork(seed)
	for _, priority := range []uint8{150, 100} {
		n.Add(vrrp.Config{Name: "outside", Interface: "eth0", VRID: 51, Version: 3, Priority: priority, Interval: time.Second,
			Preempt: true, Addresses: []netip.Prefix{netip.MustParsePrefix("10.0.0.100/24")}, Authentication: a})
	}
	n.Directors[0].Start()
	n.Directors[1].Start()
	if err := n.Run(10 * time.Second); err != nil || n.Directors[0].State() != vrrp.Master || n.Directors[1].State() != vrrp.Backup {
		t.Fatal(err, n.Directors[0].State(), n.Directors[1].State())
	}
	return n
}

// Keys are introduced, rotated and removed on one director after the other, in either
// order and after any time, and nobody refuses an advert.
func TestSimKeysAreIntroducedAndRotatedWithoutLoss(t *testing.T) {
	steps := []struct {
		what string
		a    vrrp.Authentication
	}{
		{"the keys are known", signed(vrrp.ReceiveOnly, 0, 1)},
		{"signing begins", signed(vrrp.Permissive, 1, 1)},
		{"only what is signed is accepted", signed(vrrp.Enforce, 1, 1)},
		{"a new key is known", signed(vrrp.Enforce, 1, 1, 2)},
		{"the new key signs", signed(vrrp.Enforce, 2, 1, 2)},
		{"the old key is removed", signed(vrrp.Enforce, 2, 2)},
		{"order replaces the window", vrrp.Authentication{Mode: vrrp.Enforce, Signer: 2, Keys: keys(2)}},
		{"back to permissive", signed(vrrp.Permissive, 2, 2)},
		{"no keys any more", vrrp.Authentication{}},
		{"lvsd accepts what is signed without keys: receive-only can be left out", signed(vrrp.Permissive, 1, 1)},
		{"only what is signed is accepted", signed(vrrp.Enforce, 1, 1)},
	}
	for seed := range uint64(50) {
		n := keyedPair(t, seed, vrrp.Authentication{})
		rng := rand.New(rand.NewPCG(seed, 1))
		for i, s := range steps {
			order := rng.Perm(2)
			for _, d := range order {
				c := n.Directors[d].Config
				c.Authentication = s.a
				n.Directors[d].Update(c)
				if err := n.Run(time.Duration(rng.Int64N(int64(4 * time.Second)))); err != nil {
					t.Fatalf("seed %d, step %d, %s: %v", seed, i+1, s.what, err)
				}
			}
			for j, d := range n.Directors {
				st := d.Router.Status()
				refused := uint64(0)
				for _, count := range st.Counters.Discarded {
					refused += count
				}
				if master := j == 0; (st.State == vrrp.Master) != master || st.Counters.BecameMaster != map[bool]uint64{true: 1}[master] || refused > 0 {
					t.Fatalf("seed %d, step %d, %s, in the order %v: %s is %s, became Master %d times, refused %v", seed, i+1, s.what, order, d.Name, st.State, st.Counters.BecameMaster, st.Counters.Discarded)
				}
			}
		}
	}
}

// Who has no key, but has recorded all that was sent, neither takes the addresses nor
// keeps the Backup from taking them.
func TestSimAnAttackerWithoutAKeyChangesNothing(t *testing.T) {
	for name, a := range map[string]vrrp.Authentication{
		"time":  signed(vrrp.Enforce, 1, 1, 2),
		"order": {Mode: vrrp.Enforce, Signer: 1, Keys: keys(1, 2)},
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(30) {
				n := keyedPair(t, seed, a)
				master, backup := n.Directors[0], n.Directors[1]
				rng := rand.New(rand.NewPCG(seed, 2))
				group := vrrp.Group4
				// What the Master has sent in its last seconds, with priority 0 too, and with
				// another one than it had.
				var recorded [][]byte
				for range 12 {
					for _, priority := range []uint8{0, 150, 150} {
						recorded = append(recorded, master.Router.Encode(nil, vrrp.Send{Advert: advert(master.Config, priority), Sequence: n.Sequence()}, group))
					}
					recorded[len(recorded)-1][2] = 255
					if err := n.Run(time.Second); err != nil {
						t.Fatal(err)
					}
				}
				if err := n.Run(time.Second); err != nil { // An advert of the Master is later than all of them.
					t.Fatal(err)
				}
				attack := func() {
					to := n.Directors[rng.IntN(2)]
					src := []netip.Addr{master.Source, backup.Source, netip.MustParseAddr("10.0.0.77")}[rng.IntN(3)]
					payload := recorded[rng.IntN(len(recorded))]
					switch rng.IntN(4) {
					case 0: // unsigned
						payload = advert(master.Config, []uint8{0, 255}[rng.IntN(2)]).Append(nil, src, group)
					case 1: // the right form, and no key
						payload = append(advert(master.Config, 255).Append(nil, src, group), make([]byte, 28)...)
						payload[len(payload)-28], payload[len(payload)-27] = 1, 1
					}
					n.Inject(to, src, payload)
				}
				lasts := func(what string, d time.Duration) {
					t.Helper()
					for end := n.Now() + d; n.Now() < end; {
						attack()
						if err := n.Run(50 * time.Millisecond); err != nil {
							t.Fatalf("seed %d, %s: %v", seed, what, err)
						}
					}
				}
				lasts("both live", 30*time.Second)
				if m, b := master.Router.Status().Counters, backup.Router.Status().Counters; m.LeftMaster > 0 || b.BecameMaster > 0 {
					t.Fatalf("seed %d: the addresses have moved", seed)
				}
				master.Crash()
				lasts("the Master has died", 3700*time.Millisecond)
				if backup.State() != vrrp.Master {
					t.Fatalf("seed %d: what was recorded keeps the Backup from taking over: %+v", seed, backup.Router.Status())
				}
			}
		})
	}
}

// advert is what a director with a configuration advertises.
func advert(c vrrp.Config, priority uint8) vrrp.Advert {
	ad := vrrp.Advert{Version: c.Version, VRID: c.VRID, Priority: priority, Interval: c.Interval}
	for _, p := range c.Addresses {
		ad.Addresses = append(ad.Addresses, p.Addr())
	}
	return ad
}

// A Master that slept for longer than the window refuses what has waited for it, for
// its age, and gives way to what is fresh; so does a Backup.
func TestSimAWindowSurvivesAStall(t *testing.T) {
	for seed := range uint64(30) {
		n := keyedPair(t, seed, signed(vrrp.Enforce, 1, 1))
		for _, d := range n.Directors {
			d.Sleep(false)
			if err := n.Run(20 * time.Second); err != nil {
				t.Fatal(err)
			}
			d.Wake()
			if _, both, err := longest(n, 20*time.Second); err != nil || both > 100*time.Millisecond {
				t.Fatalf("seed %d: %v; both were Master for %s", seed, err, both)
			}
			if n.Directors[0].State() != vrrp.Master {
				t.Fatalf("seed %d: %s is %s", seed, n.Directors[0].Name, n.Directors[0].State())
			}
		}
	}
}
