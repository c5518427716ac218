package sim

import (
	"net/netip"
	"time"

	"github.com/lvsd/lvsd/vrrp"
)

// networkChaos lets everything happen to a few directors.
func networkChaos(seed uint64, log func(line string)) (time.Duration, error) {
	n := NewNetwork(seed)
	n.Log = log
	n.populate()
	err := n.disturbances()
	if err == nil {
		err = n.heal()
	}
	if err == nil {
		err = n.Settled()
	}
	return n.now, err
}

// populate draws two to four directors with one configuration, more or less.
func (n *Network) populate() {
	c := vrrp.Config{Name: "outside", Interface: "eth0", VRID: 51, Version: 3, Interval: n.interval(),
		Addresses: []netip.Prefix{netip.MustParsePrefix("10.0.0.100/24")}}
	switch n.rng.IntN(4) {
	case 0:
		c.Version, c.Interval = 2, time.Second
	case 1:
		c.Addresses = []netip.Prefix{netip.MustParsePrefix("fe80::100/64"), netip.MustParsePrefix("2001:db8::100/64")}
	}
	if n.chance(0.25) { // By order, since the clocks drift.
		c.Authentication = vrrp.Authentication{Mode: vrrp.Enforce, Signer: 1, Keys: []vrrp.Key{{ID: 1, Secret: vrrp.NewSecret("a key of more than thirty-two bytes")}}}
	}
	if n.chance(0.3) {
		c.Enter = n.clearance()
	}
	if n.chance(0.2) {
		c.Leave.Timeout = n.clearance().Timeout
	}
	n.Mute, n.Refuse = []float64{0, 0.2, 1}[n.rng.IntN(3)], []float64{0, 0.3}[n.rng.IntN(2)]
	for range 2 + n.rng.IntN(3) {
		c.Priority, c.Preempt, c.PreemptDelay = n.priority(), !n.chance(0.2), 0
		if n.chance(0.2) {
			c.PreemptDelay = n.upTo(5 * time.Second)
		}
		c.LinkUpDelay = 0
		if n.chance(0.1) {
			c.LinkUpDelay = n.upTo(5 * time.Second)
		}
		d := n.Add(c)
		d.SetRate(0.97 + 0.06*n.rng.Float64())
		d.Start()
	}
	n.Jitter = n.upTo(n.fastest() / 20)
	n.Duplicate = n.rng.Float64() * 0.05
}

func (n *Network) clearance() vrrp.Clearance {
	return vrrp.Clearance{Timeout: 1 + n.upTo(6*time.Second), Required: n.chance(0.4), Unheard: n.chance(0.4)}
}

func (n *Network) interval() time.Duration {
	return []time.Duration{50 * time.Millisecond, 100 * time.Millisecond, 250 * time.Millisecond, time.Second}[n.rng.IntN(4)]
}

func (n *Network) priority() uint8 {
	return []uint8{1, 50, 100, 100, 100, 150, 200, 254, 255}[n.rng.IntN(9)]
}

func (n *Network) fastest() time.Duration {
	least := n.Directors[0].Config.Interval
	for _, d := range n.Directors {
		least = min(least, d.Config.Interval)
	}
	return least
}

// disturbances lets something happen every now and then.
func (n *Network) disturbances() error {
	for range 5 + n.rng.IntN(25) {
		if err := n.Run(n.upTo(6 * n.watch.slowest)); err != nil {
			return err
		}
		d := n.Directors[n.rng.IntN(len(n.Directors))]
		e := n.Directors[n.rng.IntN(len(n.Directors))]
		n.fault(d, e)
	}
	return nil
}

// fault does one thing to the network or to a director, and undoes it just as
// often.
func (n *Network) fault(d, e *Director) {
	switch n.rng.IntN(15) {
	case 0:
		n.disturb(func() { n.Loss = []float64{0, 0, 0.05, 0.3, 1}[n.rng.IntN(5)] })
		n.logf("loss %.2f", n.Loss)
	case 1:
		n.logf("no packets from %s to %s", d.Name, e.Name)
		n.Cut(d, e)
	case 2:
		n.logf("no packets between %s and %s", d.Name, e.Name)
		n.Cut(d, e)
		n.Cut(e, d)
	case 3, 4:
		n.logf("all are connected")
		n.Mend()
	case 5, 6:
		n.sleepOrWake(d)
	case 7:
		n.crashOrStart(d)
	case 8:
		n.stopOrStart(d)
	case 9:
		n.faultOrRepair(d)
	case 10:
		n.reload(d)
	case 11:
		n.garbage(d)
	case 12:
		d.SetRate(0.95 + 0.1*n.rng.Float64())
	case 13:
		n.attack(n.Directors)
	case 14:
		if !d.asleep {
			d.Failover(n.chance(0.3))
		}
	}
}

// Forge sends a director an advert of a stranger for its virtual router.
func (n *Network) Forge(to *Director, src netip.Addr, priority uint8, interval time.Duration) {
	ad := vrrp.Advert{Version: to.Config.Version, VRID: to.Config.VRID, Priority: priority, Interval: interval}
	for _, p := range to.Config.Addresses {
		ad.Addresses = append(ad.Addresses, p.Addr())
	}
	n.logf("%s: a stranger sends it priority %d, interval %s", to.Name, priority, interval)
	n.watch.forged = n.watch.forged || len(to.Config.Authentication.Keys) == 0
	n.Inject(to, src, ad.Append(nil, src, to.group()))
}

// attack forges some adverts at once, to one director or to all of them.
func (n *Network) attack(victims []*Director) {
	if n.chance(0.5) {
		victims = victims[:1]
	}
	stranger := victims[0].Source.As16() // with the highest or the lowest address
	stranger[15] = []byte{0, 254}[n.rng.IntN(2)]
	src := netip.AddrFrom16(stranger).Unmap()
	for range 1 + n.rng.IntN(3) {
		priority := []uint8{0, 0, 1, 100, 120, 254, 255}[n.rng.IntN(7)]
		interval := []time.Duration{10 * time.Millisecond, time.Second, 3 * time.Second, 40950 * time.Millisecond, 255 * time.Second}[n.rng.IntN(5)]
		for _, d := range victims {
			n.Forge(d, src, priority, interval)
		}
	}
}

func (n *Network) sleepOrWake(d *Director) {
	if d.asleep {
		d.Wake()
	} else if d.Router != nil {
		d.Sleep(n.chance(0.5))
	}
}

func (n *Network) crashOrStart(d *Director) {
	switch {
	case d.Router == nil:
		d.Start()
	case d.State() == vrrp.Master && !d.asleep && n.chance(0.3):
		d.Resume()
	default:
		d.asleep = false
		d.Crash()
	}
}

func (n *Network) stopOrStart(d *Director) {
	switch {
	case d.Router == nil:
		d.Start()
	case !d.asleep:
		d.Stop(n.chance(0.3))
	}
}

func (n *Network) faultOrRepair(d *Director) {
	switch {
	case d.Router == nil || d.asleep || d.memory.stopped:
	case d.faulted:
		d.Repair()
	default:
		d.Fault(n.chance(0.5))
	}
}

func (n *Network) reload(d *Director) {
	if d.asleep {
		return
	}
	c := d.Config
	switch n.rng.IntN(6) {
	case 0:
		c.Priority = n.priority()
	case 1:
		if c.Version == 3 {
			c.Interval = n.interval()
		}
	case 2:
		c.Preempt = !c.Preempt
	case 3:
		c.Enter = [2]vrrp.Clearance{{}, n.clearance()}[n.rng.IntN(2)]
	case 4:
		c.Leave = [2]vrrp.Clearance{{}, {Timeout: n.clearance().Timeout}}[n.rng.IntN(2)]
	case 5:
		extra := netip.PrefixFrom(c.Addresses[0].Addr().Next(), c.Addresses[0].Bits())
		c.Addresses = append(c.Addresses[:len(c.Addresses):len(c.Addresses)], extra)[:1+n.rng.IntN(2)]
	}
	d.Update(c)
}

// garbage sends a director what a broken or hostile neighbour might: noise, a
// damaged advert, an advert of another virtual router, its own one.
func (n *Network) garbage(d *Director) {
	src := d.Source.Next()
	ad := vrrp.Advert{Version: d.Config.Version, VRID: d.Config.VRID, Priority: 255, Interval: time.Second}
	var b []byte
	switch n.rng.IntN(4) {
	case 0:
		b = make([]byte, n.rng.IntN(64))
		for i := range b {
			b[i] = byte(n.rng.Uint32())
		}
	case 1:
		b = ad.Append(nil, src, d.group())
		b[n.rng.IntN(len(b))] ^= 1 << n.rng.IntN(8)
	case 2:
		ad.VRID++
		b = ad.Append(nil, src, d.group())
	case 3:
		src = d.Source
		b = ad.Append(nil, src, d.group())
	}
	n.Inject(d, src, b)
}

// heal ends every fault and gives the directors the time to settle.
func (n *Network) heal() error {
	n.logf("all faults end")
	n.Mend()
	n.disturb(func() { n.Loss, n.Mute, n.Refuse = 0, 0, 0 })
	for _, d := range n.Directors {
		if d.asleep {
			d.Wake()
		}
		if d.faulted && d.Router != nil && !d.memory.stopped {
			d.Repair()
		}
		if c := d.Config; d.offers > 0 && !c.Preempt { // What an operator wants ends, too.
			c.Preempt = true
			d.Update(c)
		}
	}
	// Directors that are being stopped get their time for that.
	var delay time.Duration
	for _, d := range n.Directors {
		delay = max(delay, d.Config.Leave.Timeout)
	}
	if err := n.Run(6*n.watch.slowest + delay); err != nil {
		return err
	}
	delay = 0
	for _, d := range n.Directors {
		if d.Router == nil {
			d.Start()
		}
		delay = max(delay, d.Config.PreemptDelay, d.Config.LinkUpDelay)
	}
	// One that was refused a moment ago asks again after ten seconds.
	return n.Run(12*n.watch.slowest + 2*time.Second + 2*delay + 25*time.Second)
}
