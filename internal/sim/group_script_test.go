package sim

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/lvsd/lvsd/vrrp"
)

// An act is one thing that happens to a group. A script is a byte string of acts, so
// that chance can write one, and a fuzzer can change it.
type act struct {
	what byte // which of acts
	// where is the site that it happens to, another one, and a network: two bits each.
	where byte
	how   byte
	wait  byte // before it, in parts of six intervals
}

const (
	actLength = 4
	maxActs   = 64
)

// script decodes a byte string. A rest that is no whole act is left out.
func script(b []byte) (all []act) {
	for ; len(b) >= actLength && len(all) < maxActs; b = b[actLength:] {
		all = append(all, act{b[0], b[1], b[2], b[3]})
	}
	return all
}

func randomScript(rng *rand.Rand) []byte {
	b := make([]byte, actLength*(5+rng.IntN(20)))
	for i := range b {
		b[i] = byte(rng.IntN(256))
	}
	return b
}

// play starts all sites, lets a script happen to them, and ends every fault.
func (g *Group) play(b []byte) error {
	for _, s := range g.Sites {
		s.SetRate(0.98 + 0.04*g.rng.Float64())
		s.Start()
	}
	for _, a := range script(b) {
		part := 6 * g.slowest() / 256
		if err := g.Run(time.Duration(a.wait)*part + g.upTo(part)); err != nil {
			return err
		}
		sites, networks := byte(len(g.Sites)), byte(len(g.networks))
		p := place{g.Sites[a.where&3%sites], g.Sites[a.where>>2&3%sites], int(a.where >> 4 & 3 % networks)}
		acts[int(a.what)%len(acts)](g, p, a.how)
	}
	return g.heal()
}

// A place is where an act happens.
type place struct {
	*Site
	other   *Site
	network int
}

// acts are what can happen. What is likelier is there more than once.
var acts = []func(g *Group, at place, how byte){
	(*Group).lose, (*Group).cut, (*Group).cutBoth, (*Group).cutBoth, (*Group).reconnect,
	func(g *Group, _ place, _ byte) { g.mend() },
	func(_ *Group, at place, _ byte) { at.Link(at.network, at.down[at.network]) },
	func(_ *Group, at place, _ byte) { at.Link(at.network, at.down[at.network]) },
	(*Group).sleepOrWake, (*Group).crashOrStart, (*Group).stopOrStart, (*Group).restartKeeper,
	(*Group).reloadMembers, (*Group).reloadOptions, (*Group).reloadTracks,
	(*Group).offer, (*Group).holdOrResume,
	(*Group).turnCondition, (*Group).turnCondition, (*Group).turnCondition,
}

func (g *Group) lose(_ place, how byte) {
	g.loss = []float64{0, 0, 0.05, 0.3, 1}[how%5]
	g.disturb("loss %.2f", g.loss)
}

func (g *Group) cut(at place, _ byte) {
	g.disturb("eth%d: no packets from %s to %s", at.network, at.Name, at.other.Name)
	g.networks[at.network][wire{at.number, at.other.number}] = true
}

func (g *Group) cutBoth(at place, how byte) {
	g.cut(at, how)
	g.cut(place{at.other, at.Site, at.network}, how)
}

func (g *Group) reconnect(at place, _ byte) {
	g.disturb("eth%d: all are connected", at.network)
	clear(g.networks[at.network])
}

func (g *Group) sleepOrWake(at place, how byte) {
	if at.asleep {
		at.Wake()
	} else {
		at.Sleep(how&1 > 0)
	}
}

func (g *Group) crashOrStart(at place, _ byte) {
	at.asleep = false
	if at.session == nil {
		at.Start()
	} else {
		at.Crash()
	}
}

func (g *Group) stopOrStart(at place, _ byte) {
	if at.session == nil {
		at.Start()
	} else if !at.asleep && !at.ending {
		at.Stop()
	}
}

func (g *Group) restartKeeper(at place, _ byte) {
	if at.running() {
		at.Restart()
	}
}

// reloadMembers takes a member out of the configuration, or out of the group only, or
// puts all back.
func (g *Group) reloadMembers(at place, how byte) {
	all := slices.Clone(at.routers)
	i := at.network % len(all)
	switch {
	case how&1 > 0:
		all[i].SyncGroup = []string{"", "nat"}[how>>1&1]
	case len(all) < len(g.members) || len(all) == 1:
		all = g.configured(at.Site)
	default:
		all = slices.Delete(all, i, i+1)
	}
	at.reload(all)
}

func (g *Group) reloadOptions(at place, how byte) {
	all := slices.Clone(at.routers)
	i := at.network % len(all)
	switch how % 3 {
	case 0:
		for i := range all {
			all[i].Priority = 50 + 10*(how/3%15)
		}
	case 1:
		for i := range all {
			all[i].Preempt = !all[i].Preempt
		}
	case 2:
		all[i].Interval = intervals[int(how)/3%len(intervals)]
	}
	at.reload(all)
}

func (g *Group) reloadTracks(at place, how byte) {
	all := slices.Clone(at.routers)
	all[at.network%len(all)].Track = tracks(how, how*31)
	at.reload(all)
}

func (g *Group) offer(at place, how byte) {
	if !at.asleep {
		at.Offer(how&3 == 0)
	}
}

func (g *Group) holdOrResume(at place, _ byte) {
	if !at.asleep {
		at.StandBy(!at.standby)
	}
}

// turnCondition changes what is found out about a condition.
func (g *Group) turnCondition(at place, how byte) {
	c := at.conditions[int(how)%len(at.conditions)]
	switch how >> 5 {
	case 0:
		c.Unknown, c.OK = true, false
	case 1, 2:
		c.Unknown, c.OK, c.Number = false, true, int(how>>3&3)
	default:
		c.Unknown, c.OK = false, !c.OK
	}
	c.Reason = ""
	if !c.OK {
		c.Reason = c.Name + " says no"
	}
	at.Turn(c)
}

// conditionsMet are the conditions of a site at its start. The last one counts.
func conditionsMet() (all []vrrp.Condition) {
	for _, name := range []string{"exec a", "exec b", "ping c", "file d"} {
		all = append(all, vrrp.Condition{Name: name, Tracked: true, OK: true, Counts: name == "file d"})
	}
	return all
}

// tracks makes a choice of what a router tracks. Two routers may track one condition
// with different weights. A flap of "exec b" is damped.
func tracks(which, how byte) (all []vrrp.Track) {
	for i, c := range conditionsMet() {
		if which>>(2*i)&3 > 0 {
			continue
		}
		t := vrrp.Track{Condition: c.Name, Weight: (int(how>>i&3) - 1) * 60, Reverse: how>>(4+i)&3 == 0}
		if c.Counts && t.Weight == 0 {
			t.Weight = -7
		}
		if c.Name == "exec b" {
			t.UpAfter, t.DownAfter = dampedUp, dampedDown
		}
		all = append(all, t)
	}
	return all
}

// How long "exec b" must be met, or not, before it counts as that.
const (
	dampedUp   = 1500 * time.Millisecond
	dampedDown = 300 * time.Millisecond
)
