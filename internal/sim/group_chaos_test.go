package sim

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/lvsd/lvsd/vrrp"
)

// A Group is a sync group over some networks, and the sites that have it.
type Group struct {
	timeline
	// networks have the directions in which nothing passes.
	networks []map[wire]bool
	Sites    []*Site

	loss                    float64
	delay, jitter, lateness time.Duration
	// reversed: in that network the first site has the highest address.
	reversed []bool
	members  []vrrp.Config // as all sites have them in the end
	crossed  bool          // each site is better in another network
	watch    groupWatch
}

// groupChaos lets everything happen to the sites of a group.
func groupChaos(seed uint64, log func(line string)) (time.Duration, error) {
	g := newGroup(seed, log)
	for _, s := range g.Sites {
		s.SetRate(0.98 + 0.04*g.rng.Float64())
		s.Start()
	}
	for range 5 + g.rng.IntN(20) {
		if err := g.Run(g.upTo(6 * g.slowest())); err != nil {
			return g.now, err
		}
		g.fault(g.Sites[g.rng.IntN(len(g.Sites))], g.Sites[g.rng.IntN(len(g.Sites))], g.rng.IntN(len(g.networks)))
	}
	return g.now, g.heal()
}

func newGroup(seed uint64, log func(line string)) *Group {
	g := &Group{timeline: newTimeline(seed), delay: 200 * time.Microsecond, lateness: 300 * time.Microsecond}
	g.Log = log
	g.watch = groupWatch{Group: g, since: map[string]time.Duration{}}
	g.checks = append(g.checks, g.watch.check)
	interval := g.interval()
	g.jitter = g.upTo(interval / 20)
	for n := range 2 + g.rng.IntN(2) {
		g.networks = append(g.networks, map[wire]bool{})
		g.reversed = append(g.reversed, g.chance(0.3))
		g.members = append(g.members, g.router(n, interval))
	}
	preempt, delay := g.chance(0.7), time.Duration(0)
	if g.chance(0.1) {
		delay = g.upTo(3 * time.Second)
	}
	g.crossed = g.chance(0.2)
	for i := range g.members {
		g.members[i].Preempt, g.members[i].PreemptDelay = preempt, delay
	}
	for n := range 2 + g.rng.IntN(5)/4 {
		s := &Site{Name: fmt.Sprintf("lvs%d", n+1), group: g, number: n, rate: 1, wakeAt: never, down: make([]bool, len(g.networks))}
		g.Sites = append(g.Sites, s)
		s.routers = g.configured(s)
		g.timers = append(g.timers, timer{s.wakesAt, s.turn})
	}
	return g
}

func (g *Group) interval() time.Duration {
	return []time.Duration{100 * time.Millisecond, 250 * time.Millisecond, time.Second}[g.rng.IntN(3)]
}

// router is the member of one network.
func (g *Group) router(n int, interval time.Duration) vrrp.Config {
	c := vrrp.Config{Name: fmt.Sprintf("r%d", n), SyncGroup: "nat", Interface: eth(n), VRID: 51, Version: 3, Interval: interval,
		Addresses: []netip.Prefix{netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, byte(n), 100}), 24)}}
	if g.chance(0.1) {
		c.Interval = g.interval()
	}
	return c
}

// configured is what a site has of all members.
func (g *Group) configured(s *Site) []vrrp.Config {
	all := slices.Clone(g.members)
	equal := g.rng.IntN(6) == 0
	for i := range all {
		all[i].Priority = uint8(150 - 20*s.number)
		if g.crossed && i%2 == 1 {
			all[i].Priority = uint8(100 + 20*s.number)
		}
		if equal {
			all[i].Priority = 110
		}
	}
	return all
}

// own is the address of a site in a network.
func (g *Group) own(network, site int) netip.Addr {
	last := byte(1 + site)
	if g.reversed[network] {
		last = byte(10 - site)
	}
	return netip.AddrFrom4([4]byte{10, 0, byte(network), last})
}

func (g *Group) network(p vrrp.Port) int { return int(p.Interface[3] - '0') }

func (g *Group) disturb(format string, args ...any) {
	g.logf(format, args...)
	g.watch.disturbed = g.now
}

// slowest is the longest interval.
func (g *Group) slowest() (longest time.Duration) {
	for _, c := range g.members {
		longest = max(longest, c.Interval)
	}
	return longest
}

// fault does one thing, and undoes it just as often.
func (g *Group) fault(s, t *Site, n int) {
	switch g.rng.IntN(14) {
	case 0:
		g.loss = []float64{0, 0, 0.05, 0.3, 1}[g.rng.IntN(5)]
		g.disturb("loss %.2f", g.loss)
	case 1:
		g.disturb("eth%d: no packets from %s to %s", n, s.Name, t.Name)
		g.networks[n][wire{s.number, t.number}] = true
	case 2, 3:
		g.disturb("eth%d: no packets between %s and %s", n, s.Name, t.Name)
		g.networks[n][wire{s.number, t.number}], g.networks[n][wire{t.number, s.number}] = true, true
	case 4:
		g.disturb("eth%d: all are connected", n)
		clear(g.networks[n])
	case 5:
		g.mend()
	case 6, 7:
		s.Link(n, s.down[n])
	case 8:
		if s.asleep {
			s.Wake()
		} else {
			s.Sleep(g.chance(0.5))
		}
	case 9:
		s.asleep = false
		if s.session == nil {
			s.Start()
		} else {
			s.Crash()
		}
	case 10:
		if s.session == nil {
			s.Start()
		} else if !s.asleep && !s.ending {
			s.Stop()
		}
	case 11, 12:
		if !s.asleep {
			g.reload(s)
		}
	case 13:
		if !s.asleep {
			s.Offer(g.chance(0.3))
		}
	}
}

func (g *Group) mend() {
	g.loss = 0
	for n := range g.networks {
		clear(g.networks[n])
	}
	g.disturb("all are connected")
}

// reload changes the configuration of one site.
func (g *Group) reload(s *Site) {
	all := slices.Clone(s.routers)
	i := g.rng.IntN(len(all))
	switch g.rng.IntN(5) {
	case 0: // A member leaves the configuration, or all are back.
		if len(all) < len(g.members) || len(all) == 1 {
			all = g.configured(s)
		} else {
			all = slices.Delete(all, i, i+1)
		}
	case 1: // Or leaves the group only.
		all[i].SyncGroup = []string{"", "nat"}[g.rng.IntN(2)]
	case 2:
		p := uint8(50 + 10*g.rng.IntN(15))
		for i := range all {
			all[i].Priority = p
		}
	case 3:
		for i := range all {
			all[i].Preempt = !all[i].Preempt
		}
	case 4:
		all[i].Interval = g.interval()
	}
	s.Set(all)
}

// heal ends every fault. In the end one site has all, as it would after a start.
func (g *Group) heal() error {
	g.mend()
	for _, s := range g.Sites {
		if s.asleep {
			s.Wake()
		}
		for n := range s.down {
			if s.down[n] {
				s.Link(n, true)
			}
		}
	}
	// Those that are being stopped get their time for that.
	if err := g.Run(6*g.slowest() + 6*time.Second); err != nil {
		return err
	}
	for _, s := range g.Sites {
		if s.session == nil {
			s.Start()
		}
		s.Set(g.configured(s))
	}
	if err := g.Run(12*g.slowest() + 8*time.Second); err != nil {
		return err
	}
	return g.watch.settled()
}
