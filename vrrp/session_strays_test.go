package vrrp_test

import (
	"errors"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/lvsd/lvsd/vrrp"
)

// A chaos lets a session live through adverts, faults and reloads, while somebody
// adds its virtual addresses by hand.
type chaos struct {
	*kernel
	rng    *rand.Rand
	config vrrp.Desired
	// peer is the priority of the other director; 0: it is silent.
	peer    uint8
	failing bool
	// strays are those that were seen, since when, and settled is when the session
	// may be asked to have removed what came before.
	strays  map[vrrp.InterfaceAddress]time.Time
	settled time.Time
}

// "Somebody adds the virtual address to a director that is not Master": it is gone
// within a second, whatever else happens.
func TestNoStrayOutlivesASecond(t *testing.T) {
	seeds := uint64(60)
	if testing.Short() {
		seeds = 10
	}
	for seed := range seeds {
		if t.Failed() {
			return
		}
		play(t, func(s *kernel) {
			c := chaos{kernel: s, rng: rand.New(rand.NewPCG(seed, 51)), strays: make(map[vrrp.InterfaceAddress]time.Time)}
			c.config = one(func(r *vrrp.Config) {
				r.Extra = []vrrp.InterfaceAddress{{Interface: "eth1", Prefix: netip.MustParsePrefix("192.168.1.254/24")}}
			})
			s.session.Set(c.config)
			for range 1200 {
				c.step()
				time.Sleep(50*time.Millisecond - time.Microsecond) // Never with a timer of the session.
				if c.check(); s.t.Failed() {
					s.t.Logf("seed %d, after:\n%s", seed, lastOf(c.script()))
					return
				}
			}
		})
	}
}

// step lets one thing happen now and then, and the peer send its adverts.
func (c *chaos) step() {
	if time.Since(c.begin)%time.Second < 50*time.Millisecond && c.peer > 0 {
		c.arrive(c.peer, true)
	}
	switch c.rng.IntN(60) {
	case 0, 1, 2:
		name, prefix := "eth0", netip.MustParsePrefix([]string{"10.9.0.200/24", "10.9.0.200/25", "10.9.0.200/32", "192.168.1.254/32"}[c.rng.IntN(4)])
		if prefix.Addr() == netip.MustParseAddr("192.168.1.254") {
			name = "eth1"
		}
		c.change(name, func(i *vrrp.Interface) {
			if !slices.Contains(i.Addresses, prefix) {
				i.Addresses = append(slices.Clone(i.Addresses), prefix)
			}
		})
	case 3:
		c.peer = []uint8{0, 0, 100, 200, 200}[c.rng.IntN(5)]
	case 4:
		c.set([]string{"eth0", "eth1"}[c.rng.IntN(2)], c.rng.IntN(3) > 0)
	case 5:
		c.config.Routers = slices.Clone(c.config.Routers)
		c.config.Routers[0].Priority = []uint8{90, 150}[c.rng.IntN(2)]
		c.session.Set(c.config)
	case 6:
		if c.failing = !c.failing; c.failing {
			c.fail(errors.New("operation not permitted"))
		} else {
			c.fail(nil)
			c.settled = time.Now().Add(time.Second) // The worker tries again each second.
		}
	}
}

// check finds addresses that are there although the router does not hold them.
func (c *chaos) check() {
	st := c.status()
	holds := st.State == vrrp.Master || slices.Contains([]vrrp.Phase{vrrp.Adopted, vrrp.Offering, vrrp.Relinquishing}, st.Phase)
	c.mu.Lock()
	defer c.mu.Unlock()
	there := make(map[vrrp.InterfaceAddress]bool)
	for name, i := range c.devices {
		for _, p := range i.Addresses {
			if a := p.Addr().String(); a == "10.9.0.200" || a == "192.168.1.254" {
				there[vrrp.InterfaceAddress{Interface: name, Prefix: p}] = !holds && !c.failing
			}
		}
	}
	now := time.Now()
	for a, stray := range there {
		since, known := c.strays[a]
		switch {
		case !stray || !known:
			c.strays[a] = now
		case now.Sub(later(since, c.settled)) > time.Second:
			c.t.Errorf("%s: %s (%s) has %v on %s since %s", now.Sub(c.begin), st.State, st.Phase, a.Prefix, a.Interface, since.Sub(c.begin))
		}
	}
	for a := range c.strays {
		if !there[a] {
			delete(c.strays, a)
		}
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// lastOf returns the last lines of a script.
func lastOf(lines []string) (text string) {
	for _, l := range lines[max(0, len(lines)-40):] {
		text += l + "\n"
	}
	return text
}
