package sim

import (
	"net/netip"
	"time"

	"github.com/lvsd/lvsd/vrrp"
)

// inboxBound is how many packets a socket keeps for a director that sleeps.
const inboxBound = 64

// A Director runs one virtual router on a Network.
type Director struct {
	Name   string
	Source netip.Addr
	Config vrrp.Config
	// Router is nil while the director is down.
	Router *vrrp.Router
	// Holds: the addresses are on its interface.
	Holds bool

	net   *Network
	index int

	// Its clock shows clockBase at clockFrom and goes at rate.
	rate      float64
	clockBase time.Duration
	clockFrom time.Duration

	wakeAt time.Duration
	// asleep: it is stopped by a signal, or its machine is suspended, which
	// loses what arrives.
	asleep, suspended bool
	inbox             []vrrp.Packet
	faulted           bool
	offers            uint64 // orders of an operator so far
	question          vrrp.Question
	granted           bool // the answer to it is yes

	renewed time.Duration // when the addresses' lifetime was renewed last
	lapsed  bool          // the lease ended: the kernel took them back
	memory  memory        // for the invariants
}

// Start starts a director that is down; what an earlier run left on the
// interface is adopted.
func (d *Director) Start() {
	d.net.disturb(func() {
		d.net.logf("%s: starts", d.Name)
		d.boot()
		d.do(d.Router.Startup(d.clock(), d.Source))
	})
}

// Resume replaces the process of a director that was Master a moment ago.
func (d *Director) Resume() {
	d.net.disturb(func() {
		d.net.logf("%s: is replaced and resumes", d.Name)
		d.boot()
		d.do(d.Router.Resume(d.clock(), d.Source))
	})
}

func (d *Director) boot() {
	d.Router = vrrp.NewRouter(d.Config)
	d.asleep, d.suspended, d.faulted, d.lapsed = false, false, false, false
	d.inbox = nil
	d.memory, d.question, d.granted = memory{}, vrrp.Question{}, false
	if d.Holds {
		d.Router.Adopt()
	}
}

// Crash ends the director's processes; its addresses stay until the kernel
// takes them back.
func (d *Director) Crash() {
	d.net.disturb(func() {
		d.net.logf("%s: crashes", d.Name)
		d.Router, d.wakeAt, d.inbox = nil, never, nil
	})
}

// Stop stops the director properly; abandon: as when its control plane died.
func (d *Director) Stop(abandon bool) {
	d.net.disturb(func() {
		d.net.logf("%s: is stopped, abandoned=%t", d.Name, abandon)
		if !d.memory.stopped {
			d.memory.stopped, d.memory.stoppedAs, d.memory.abandoned, d.memory.zeros = true, d.State(), abandon, 0
		} else {
			d.memory.abandoned = abandon
		}
		how := vrrp.Stopped
		if abandon {
			how = vrrp.Abandoned
		}
		d.do(d.Router.End(d.clock(), how))
	})
}

// Fault takes the director's tracked interface away, or with silent the one
// that it sends by. Startup ends it.
func (d *Director) Fault(silent bool) {
	d.net.disturb(func() {
		d.net.logf("%s: fault, silent=%t", d.Name, silent)
		d.faulted = true
		d.do(d.Router.Fault(d.clock(), "interface is down", silent))
	})
}

// Repair ends a Fault.
func (d *Director) Repair() {
	d.net.disturb(func() {
		d.net.logf("%s: is repaired", d.Name)
		d.faulted, d.memory.heard = false, time.Time{}
		d.do(d.Router.Stay(d.clock()))
		d.Router.LinkUp(d.clock())
		d.do(d.Router.Startup(d.clock(), d.Source))
	})
}

// Failover orders the director to offer its role, and not to take it back while
// another one is Master.
func (d *Director) Failover(force bool) {
	c := d.Config
	c.Preempt = false
	d.Update(c)
	d.net.disturb(func() {
		d.offers++
		d.net.logf("%s: is to fail over, force=%t", d.Name, force)
		if d.Router != nil {
			d.do(d.Router.Offer(d.clock(), vrrp.Offer{Number: d.offers, Force: force}))
		}
	})
}

// Update changes the director's configuration.
func (d *Director) Update(c vrrp.Config) {
	d.net.disturb(func() {
		d.Config = c
		d.net.watch.configured(c)
		d.net.logf("%s: reloads: priority %d, interval %s, preempt %t after %s, %d addresses",
			d.Name, c.Priority, c.Interval, c.Preempt, c.PreemptDelay, len(c.Addresses))
		if d.Router != nil {
			d.do(d.Router.Update(d.clock(), c))
		}
	})
}

// Sleep stops the director's processes; with suspended, its machine, and what
// arrives is lost.
func (d *Director) Sleep(suspended bool) {
	d.net.disturb(func() {
		d.net.logf("%s: sleeps, suspended=%t", d.Name, suspended)
		d.asleep, d.suspended = true, suspended
	})
}

// Wake ends a Sleep. Whether timers or packets come first is chance.
func (d *Director) Wake() {
	d.net.disturb(func() {
		d.net.logf("%s: wakes with %d packets", d.Name, len(d.inbox))
		d.asleep, d.suspended = false, false
		if d.net.chance(0.5) {
			d.wake()
		}
		inbox := d.inbox
		d.inbox = nil
		for _, p := range inbox {
			d.arrive(p)
		}
		d.wake()
	})
}

// SetRate makes the director's clock go faster or slower from now on.
func (d *Director) SetRate(rate float64) {
	d.net.disturb(func() {
		d.clockBase, d.clockFrom, d.rate = d.clock().Sub(epoch), d.net.now, rate
		d.schedule()
	})
}

// clock is the time that the director sees.
func (d *Director) clock() time.Time {
	return epoch.Add(d.clockBase + time.Duration(float64(d.net.now-d.clockFrom)*d.rate))
}

// schedule plans the next wake-up for the router's deadline.
func (d *Director) schedule() {
	d.wakeAt = never
	if d.Router == nil {
		return
	}
	deadline := d.Router.Deadline()
	if deadline.IsZero() {
		return
	}
	left := time.Duration(float64(deadline.Sub(d.clock())) / d.rate)
	d.wakeAt = d.net.now + max(left, 0) + 2 + d.net.upTo(d.net.Lateness)
}

func (d *Director) wakesAt() time.Duration {
	if d.asleep {
		return never
	}
	return d.wakeAt
}

func (d *Director) wake() {
	if d.Router == nil {
		return
	}
	d.do(d.Router.Expire(d.clock()))
	d.net.watch.expired(d)
}

// arrive hands a packet to the router, as the session does.
func (d *Director) arrive(p vrrp.Packet) {
	if d.asleep {
		if !d.suspended && len(d.inbox) < inboxBound {
			d.inbox = append(d.inbox, p)
		}
		return
	}
	if d.Router == nil {
		return
	}
	keyed, before := len(d.Config.Authentication.Keys) > 0, uint64(0)
	if keyed {
		before = d.Router.Status().Counters.AdvertsReceived
	}
	acts := d.Router.Receive(d.clock(), p)
	ad, err := vrrp.Decode(p.Payload, p.Src, p.Dst)
	if err == nil && (!keyed || d.Router.Status().Counters.AdvertsReceived > before) {
		d.net.watch.received(d, p.Src, ad, acts)
	}
	d.do(acts)
}

// claimed hands the word of another director that has an address to the router.
func (d *Director) claimed(c vrrp.Claim) {
	if d.Router != nil && !d.asleep {
		d.do(d.Router.Claim(d.clock(), c))
	}
}

// do does what the router asks for.
func (d *Director) do(acts []vrrp.Action) {
	d.net.watch.acts(d, acts)
	for _, a := range acts {
		d.net.logf("%s: %s", d.Name, a)
		switch a := a.(type) {
		case vrrp.Send:
			d.net.multicast(d, d.Router.Encode(nil, a, d.group()))
		case vrrp.Hold:
			d.Holds, d.lapsed = len(a.Holdings.Addresses) > 0, false
		case vrrp.Ask:
			d.do(d.Router.Asked(d.clock(), a, nil))
			d.net.ask(d, a)
		}
	}
	d.consider()
	if d.Router.Done() {
		d.net.watch.ended(d)
		d.net.logf("%s: has ended, taken over=%t", d.Name, d.Router.TakenOver())
		d.Router = nil
	}
	d.schedule()
}

// consider has the control plane answer what the router asks, sooner or later than it
// waits, or not at all.
func (d *Director) consider() {
	q, router := d.Router.Question(), d.Router
	if q == d.question {
		return
	}
	d.question, d.granted = q, false
	wait := d.Config.Enter.Timeout
	if q.Step == vrrp.Leave {
		wait = d.Config.Leave.Timeout
	}
	if q.Number == 0 || d.net.chance(d.net.Mute) {
		return
	}
	d.net.after(d.net.upTo(wait+wait/5), func() {
		if d.Router == router && !d.asleep {
			ok := !d.net.chance(d.net.Refuse)
			d.granted = ok && d.question == q
			d.net.logf("%s: the answer is %t", d.Name, ok)
			d.do(d.Router.Answer(d.clock(), vrrp.Answer{Number: q.Number, OK: ok, Text: "an answer"}))
		}
	})
}

// expireLease acts as the kernel, which removes addresses whose lifetime nobody
// renewed.
func (d *Director) expireLease() {
	if d.Router != nil && !d.asleep {
		d.renewed = d.net.now
		return
	}
	if lifetime := max(4*time.Second, 8*d.Config.Interval+2*time.Second); d.Holds && d.net.now-d.renewed > lifetime {
		d.net.logf("%s: the kernel takes its addresses back", d.Name)
		d.Holds, d.lapsed = false, true
	}
}

func (d *Director) group() netip.Addr {
	if d.Source.Is6() {
		return vrrp.Group6
	}
	return vrrp.Group4
}

// State returns the router's state; a director that is down is in Initialize.
func (d *Director) State() vrrp.State {
	if d.Router == nil {
		return vrrp.Initialize
	}
	return d.Router.State()
}
