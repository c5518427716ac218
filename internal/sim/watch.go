package sim

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/lvsd/lvsd/vrrp"
)

// A watch checks the invariants after every event. Those about time are
// measured from the last fault, and rest while packets are lost at random.
type watch struct {
	net       *Network
	disturbed time.Duration
	slowest   time.Duration // the longest interval that any director ever had
	forged    bool          // somebody else has sent adverts
	dual      map[wire]time.Duration
	lonely    map[int]time.Duration
	// covered: from the first moment on some director must hold the addresses.
	covered, everHeld bool
}

// A memory is what the invariants need to know of a director's past.
type memory struct {
	stopped   bool
	stoppedAs vrrp.State // the state in which Stop found it
	abandoned bool
	zeros     int // adverts of priority 0 since then
	sentSince time.Duration
	sent      int // adverts since sentSince

	heard         time.Time     // the last advert of a Master that it followed, by its clock
	heardInterval time.Duration // its own, or ours then if that was shorter
	zeroHeard     time.Time
	succeeded     time.Time // when it heard one while it held addresses
	provoked      time.Time // the last announcement that a packet provoked
}

// Cover demands from now on that the addresses are always somewhere.
func (n *Network) Cover() { n.watch.covered, n.watch.everHeld = true, false }

func (w *watch) configured(c vrrp.Config) { w.slowest = max(w.slowest, c.Interval) }

// acts checks what a router asks for in one call.
func (w *watch) acts(d *Director, acts []vrrp.Action) {
	sent, held, announced := 0, false, false
	for _, a := range acts {
		switch a := a.(type) {
		case vrrp.Send:
			sent++
			if a.Advert.Priority == 0 {
				d.memory.zeros++
			}
		case vrrp.Hold:
			held = len(a.Holdings.Addresses) > 0
		case vrrp.Announce:
			announced = true
		case vrrp.Event:
			took := a.Changed() && a.To == vrrp.Master
			if took && (sent != 1 || !held || !announced) {
				w.net.fail(d.Name, "becomes Master without an advert, addresses and announcement before: %v", acts)
			}
			if took {
				w.tookOver(d)
			}
		}
	}
	w.noStorm(d, sent)
	if sent > 1 {
		w.net.fail(d.Name, "sends %d adverts at once: %v", sent, acts)
	}
}

// noStorm: the adverts of a moment are bounded, whatever others send.
func (w *watch) noStorm(d *Director, sent int) {
	m := &d.memory
	if w.net.now-m.sentSince > 10*time.Millisecond {
		m.sentSince, m.sent = w.net.now, 0
	}
	if m.sent += sent; m.sent > 16 {
		w.net.fail(d.Name, "sent %d adverts within 10 ms", m.sent)
	}
}

// tookOver checks that a router without preemption became Master only because
// there was none.
func (w *watch) tookOver(d *Director) {
	m := &d.memory
	w.asked(d)
	defer func() { m.heard = time.Time{} }()
	if d.Config.Preempt || d.Config.Priority == 255 || m.heard.IsZero() || !m.zeroHeard.Before(m.heard) {
		return
	}
	// One advert with a longer interval than its own is not believed.
	if silence := d.clock().Sub(m.heard); silence < 3*min(m.heardInterval, d.Config.Interval) {
		w.net.fail(d.Name, "takes over without preemption, %s after an advert", silence)
	}
}

// asked checks that a router which is to ask before it takes over from a Master that fell
// silent has done so, and was not refused.
func (w *watch) asked(d *Director) {
	m, c := &d.memory, &d.Config
	if c.Enter.Timeout == 0 || m.heard.IsZero() || !m.zeroHeard.Before(m.heard) {
		return
	}
	if silence := d.clock().Sub(m.heard); silence <= 4*w.slowest {
		return
	}
	switch {
	case d.question.Step != vrrp.Enter:
		w.net.fail(d.Name, "takes over from a Master that fell silent, and has not asked")
	case c.Enter.Required && !d.granted:
		w.net.fail(d.Name, "takes over although it was refused")
	}
}

// received checks the answer to one advert.
func (w *watch) received(d *Director, src netip.Addr, ad vrrp.Advert, acts []vrrp.Action) {
	if src == d.Source || ad.VRID != d.Config.VRID || ad.Version != d.Config.Version {
		if slices.ContainsFunc(acts, func(a vrrp.Action) bool { e, ok := a.(vrrp.Event); return !ok || e.Changed() }) {
			w.net.fail(d.Name, "a foreign advert makes it do %v", acts)
		}
		return
	}
	m := &d.memory
	now, followed := d.clock(), d.Router.Status().Master == src
	if followed && ad.Priority == 0 {
		m.zeroHeard = now
	}
	if ad.Priority != 0 {
		if followed {
			m.heard, m.heardInterval = now, min(ad.Interval, d.Config.Interval)
		}
		if d.Router.State() != vrrp.Master && d.Holds && m.succeeded.IsZero() {
			m.succeeded = now
		}
	}
	announced, held := false, false
	for _, a := range acts {
		switch a := a.(type) {
		case vrrp.Announce:
			announced = true
		case vrrp.Hold:
			held = len(a.Holdings.Addresses) > 0
		}
	}
	if announced && !held {
		if !m.provoked.IsZero() && now.Sub(m.provoked) < time.Second {
			w.net.fail(d.Name, "announces %s after it did so last because of a packet", now.Sub(m.provoked))
		}
		m.provoked = now
	}
}

// expired checks the timers after Expire.
func (w *watch) expired(d *Director) {
	if d.Router == nil {
		return
	}
	deadline := d.Router.Deadline()
	if deadline.IsZero() && d.Router.State() != vrrp.Initialize {
		w.net.fail(d.Name, "is %s and has no deadline", d.Router.State())
	}
	if !deadline.IsZero() && !deadline.After(d.clock()) {
		w.net.fail(d.Name, "has a deadline %s ago after Expire", d.clock().Sub(deadline))
	}
}

// ended checks a router that is done.
func (w *watch) ended(d *Director) {
	m := &d.memory
	// While it waited to leave, a better one may have come.
	overtaken := d.Config.Leave.Timeout > 0 && (d.Router.TakenOver() || m.abandoned) && m.zeros == 0
	if m.stoppedAs == vrrp.Master && m.zeros != 1 && !overtaken {
		w.net.fail(d.Name, "said %d times that it is leaving", m.zeros)
	}
	if d.Holds && (!m.abandoned || d.Router.TakenOver()) {
		w.net.fail(d.Name, "ended and left its addresses")
	}
}

// check looks at all directors together.
func (w *watch) check() {
	n := w.net
	holders := 0
	for _, d := range n.Directors {
		d.expireLease()
		if d.Holds {
			holders++
		}
		w.checkAddresses(d)
		w.checkLonely(d)
		for _, e := range n.Directors[d.index+1:] {
			w.checkPair(d, e)
		}
	}
	if holders > 0 {
		w.everHeld = true
	} else if w.covered && w.everHeld {
		n.fail(n.Directors[0].Name, "nobody holds the addresses")
	}
}

// checkAddresses: on the interface exactly while Master, or for the moment
// that a hand-over takes.
func (w *watch) checkAddresses(d *Director) {
	if d.Router == nil || d.asleep {
		return
	}
	if !d.lapsed && d.Holds != d.Router.Holding() {
		w.net.fail(d.Name, "holds=%t, its router wants %t", d.Holds, d.Router.Holding())
	}
	master := d.Router.State() == vrrp.Master
	if master && !d.Router.Holding() {
		w.net.fail(d.Name, "is Master without addresses")
	}
	if master || !d.Holds {
		d.memory.succeeded = time.Time{}
	}
	if at := d.memory.succeeded; !at.IsZero() && d.clock().Sub(at) > vrrp.Overlap+2*w.net.Lateness+time.Millisecond {
		w.net.fail(d.Name, "still holds addresses %s after it heard another Master", d.clock().Sub(at))
	}
}

// checkLonely: a director that hears no Master becomes one in time.
func (w *watch) checkLonely(d *Director) {
	lonely := d.Router != nil && !d.asleep && d.Router.State() == vrrp.Backup
	for _, e := range w.net.Directors {
		if e != d && e.State() == vrrp.Master && !e.asleep && w.net.reaches(e, d) {
			lonely = false
		}
	}
	// Master_Down, and a listening after a stall; clocks may differ by 10 %.
	bound := 3*w.slowest + max(w.slowest, time.Second) + 2*w.slowest
	bound += d.Config.LinkUpDelay + d.Config.Enter.Timeout
	lonely = lonely && !d.Config.Enter.Required // It may be refused.
	if w.forged {
		bound += 7 * w.slowest // One advert may put it off for ten intervals.
	}
	if lasts(w, w.lonely, d.index, lonely, bound) {
		w.net.fail(d.Name, "is Backup and has heard no Master for %s", bound)
	}
}

// checkPair: two Masters that hear each other settle in time.
func (w *watch) checkPair(d, e *Director) {
	both := d.State() == vrrp.Master && e.State() == vrrp.Master && !d.asleep && !e.asleep &&
		w.net.reaches(d, e) && w.net.reaches(e, d)
	bound := 4*w.slowest + 4*(w.net.Delay+w.net.Jitter)
	if lasts(w, w.dual, wire{d.index, e.index}, both, bound) {
		w.net.fail(d.Name, "and %s are both Master for %s", e.Name, bound)
	}
}

// lasts reports whether something has held for longer than the bound, without a
// fault meanwhile.
func lasts[K comparable](w *watch, since map[K]time.Duration, key K, holds bool, bound time.Duration) bool {
	if !holds || w.net.Loss > 0 {
		delete(since, key)
		return false
	}
	start, ok := since[key]
	if !ok {
		since[key] = w.net.now
		return false
	}
	return w.net.now-max(start, w.disturbed) > bound
}

// Settled returns an error unless there is exactly one Master, it alone holds
// the addresses, and nobody running has a better right to them.
func (n *Network) Settled() error {
	var master *Director
	for _, d := range n.Directors {
		if d.State() != vrrp.Master {
			if d.Holds {
				return fmt.Errorf("%s holds addresses as %s", d.Name, d.State())
			}
			continue
		}
		if master != nil {
			return fmt.Errorf("%s and %s are both Master", master.Name, d.Name)
		}
		master = d
	}
	if master == nil {
		return fmt.Errorf("nobody is Master")
	}
	if !master.Holds {
		return fmt.Errorf("%s is Master without addresses", master.Name)
	}
	for _, d := range n.Directors {
		preempts := d.Config.Preempt || d.Config.Priority == 255
		if d.State() == vrrp.Backup && preempts && d.Config.Priority > master.Config.Priority {
			return fmt.Errorf("%s is Master with priority %d, %s has %d", master.Name, master.Config.Priority, d.Name, d.Config.Priority)
		}
	}
	return nil
}
