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

	loss float64
	// patience is how long the routers wait for answers; mute and refuse are the
	// probabilities that there is none, and that it is no.
	patience                time.Duration
	required                bool
	mute, refuse            float64
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
	err := g.play(randomScript(g.rng))
	return g.now, err
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
	if g.chance(0.4) {
		g.patience, g.required = 1+g.upTo(6*time.Second), g.chance(0.4)
		g.mute, g.refuse = []float64{0, 0.2, 1}[g.rng.IntN(3)], []float64{0, 0.3}[g.rng.IntN(2)]
	}
	enters, leaves, unheard := g.chance(0.7), g.chance(0.5), g.chance(0.3)
	for i := range g.members {
		c := &g.members[i]
		c.Preempt, c.PreemptDelay = preempt, delay
		// In the end they are to run, so a condition that holds must not keep them from that.
		c.Track = slices.DeleteFunc(tracks(byte(g.rng.IntN(256)), byte(g.rng.IntN(256))), func(t vrrp.Track) bool { return t.Reverse && t.Weight == 0 })
		if enters {
			c.Enter = vrrp.Clearance{Timeout: g.patience, Required: g.required, Unheard: unheard}
		}
		if leaves {
			c.Leave.Timeout = g.patience
		}
	}
	for n := range 2 + g.rng.IntN(5)/4 {
		s := &Site{Name: fmt.Sprintf("lvs%d", n+1), group: g, number: n, rate: 1, wakeAt: never, down: make([]bool, len(g.networks))}
		g.Sites = append(g.Sites, s)
		s.routers, s.conditions = g.configured(s), conditionsMet()
		g.timers = append(g.timers, timer{s.wakesAt, s.turn})
	}
	return g
}

var intervals = []time.Duration{100 * time.Millisecond, 250 * time.Millisecond, time.Second}

func (g *Group) interval() time.Duration { return intervals[g.rng.IntN(len(intervals))] }

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
	g.watch.disturbed = max(g.watch.disturbed, g.now) // An offer may be waiting still.
}

// slowest is the longest interval.
func (g *Group) slowest() (longest time.Duration) {
	for _, c := range g.members {
		longest = max(longest, c.Interval)
	}
	return longest
}

func (g *Group) mend() {
	g.loss, g.mute, g.refuse = 0, 0, 0
	for n := range g.networks {
		clear(g.networks[n])
	}
	g.disturb("all are connected")
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
		for _, c := range conditionsMet() {
			s.Turn(c)
		}
		if s.standby || s.heldBack {
			s.StandBy(false)
		}
	}
	// Those that are being stopped get their time for that.
	if err := g.Run(6*g.slowest() + 6*time.Second + g.patience); err != nil {
		return err
	}
	for _, s := range g.Sites {
		if s.session == nil {
			s.Start()
		}
		s.reload(g.configured(s))
	}
	settling := 12*g.slowest() + 8*time.Second
	if g.patience > 0 { // One that was refused a moment ago asks again after ten seconds.
		settling += 15*time.Second + 2*g.patience
	}
	if err := g.Run(settling); err != nil {
		return err
	}
	return g.watch.settled()
}
