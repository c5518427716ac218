package vrrp

import (
	"fmt"
	"net/netip"
	"time"
)

// ownerPriority is the priority of the router whose own addresses the
// virtual ones are (RFC 9568 section 5.2.4).
const ownerPriority = 255

// effective is a configured priority with what conditions change it by. It stays
// from 1, the least that is not an announcement of leaving, to 254, the most that
// is not an owner's (RFC 9568 section 5.2.4), and the owner of the addresses keeps
// its 255.
func effective(priority uint8, effect int) uint8 {
	if priority == ownerPriority {
		return ownerPriority
	}
	return uint8(max(1, min(int(priority)+effect, ownerPriority-1)))
}

// firstIntervals is how many of its own intervals, and the skew, a router waits
// at most after one advert with another interval than its own.
const firstIntervals = 10

// An election is what a router knows of the Master, and when it becomes Master
// in its place.
type election struct {
	// master is the Master that was heard last, or this router itself; invalid
	// while none is known.
	master   netip.Addr
	priority uint8         // the Master's
	interval time.Duration // Master_Adver_Interval, as far as it is believed
	pace     pace          // of the last advert with an interval
	leaving  bool          // the Master has advertised priority 0, at leftAt
	leftAt   time.Time
	heardAt  time.Time // its last advert with another priority

	masterDownAt time.Time // Master_Down_Timer
	preemptAt    time.Time // the end of the preemption delay
	// lateAt is when the Master that is followed has let half of that timer pass;
	// zero: it has, or none is followed.
	lateAt time.Time

	// linkUpAt is when the link came up, if nobody was heard since.
	linkUpAt time.Time
	// yielded: the Master was there before this router, which gave way to it.
	yielded bool

	// quietSince is since when this router, in Initialize, has listened and
	// heard nobody; zero: it could not listen, or it heard somebody.
	quietSince time.Time
}

func (e *election) deadline() time.Time { return earliest(e.masterDownAt, e.preemptAt, e.lateAt) }

// stop stops the timers.
func (e *election) stop() {
	e.masterDownAt, e.preemptAt, e.lateAt = time.Time{}, time.Time{}, time.Time{}
}

// over reports, of a Backup, whether it has waited long enough to become Master. That
// lasts only in one that is led.
func (e *election) over() bool { return e.masterDownAt.IsZero() && e.preemptAt.IsZero() }

// skew is Skew_Time (RFC 9568 section 6.1; RFC 3768 section 6.1, where it is
// a fraction of a second whatever the interval).
func (c *Config) skew(interval time.Duration) time.Duration {
	if c.Version == 2 {
		interval = time.Second
	}
	return time.Duration(256-int(c.Priority)) * interval / 256
}

// masterDown is Active_Down_Interval, Master_Down_Interval in older RFCs.
func (c *Config) masterDown(interval time.Duration) time.Duration {
	return time.Duration(c.missed())*interval + c.skew(interval)
}

func (e *election) skew(c *Config) time.Duration       { return c.skew(e.interval) }
func (e *election) masterDown(c *Config) time.Duration { return c.masterDown(e.interval) }

// open begins to wait for adverts. The time in which none was heard before
// counts, since the timer is there to hear a Master; the skew keeps the order
// of routers that begin together.
func (e *election) open(c *Config, now time.Time) {
	e.interval = c.Interval
	e.masterDownAt = now.Add(e.masterDown(c))
	if !e.quietSince.IsZero() {
		e.masterDownAt = later(e.quietSince.Add(e.masterDown(c)), now.Add(e.skew(c)))
	}
	e.delay(c)
}

// delay keeps Master_Down_Timer from ending soon after the link came up, as long as
// nobody was heard: then a port on the way may not forward yet.
func (e *election) delay(c *Config) {
	if !e.linkUpAt.IsZero() && !e.over() {
		e.masterDownAt = later(e.masterDownAt, e.linkUpAt.Add(c.LinkUpDelay))
	}
}

// forwards notes that somebody was heard, so that nothing has to be waited for.
func (e *election) forwards(c *Config, now time.Time) {
	if !e.linkUpAt.IsZero() {
		e.linkUpAt = time.Time{}
		e.shorten(now.Add(e.masterDown(c)))
	}
}

// know notes which router is Master.
func (e *election) know(master netip.Addr, priority uint8) { e.master, e.priority = master, priority }

// decline waits for longer than a Master that only offers its role does: a router that is
// fit for nothing takes it from one that has left, not from one that would keep it. That one
// may say it again, which changes nothing.
func (e *election) decline(c *Config, now time.Time, before *election) {
	switch {
	case e.masterDownAt.IsZero():
	case before.leaving:
		e.masterDownAt = before.masterDownAt
	default:
		e.masterDownAt = now.Add(e.masterDown(c) + e.interval)
	}
}

// receive is RFC 9568 section 6.4.2, "If an ADVERTISEMENT is received".
func (e *election) receive(c *Config, now time.Time, src netip.Addr, ad Advert) {
	// "If the Priority in the ADVERTISEMENT is 0, then: [...] Set the
	// Active_Down_Timer to Skew_Time". A timer that ends sooner runs on: a
	// leaving Master that repeats itself must not put us off. Nor does anybody
	// else's leaving mean that there is no Master.
	if ad.Priority == 0 && src != e.master || e.outranked(c, now, src, ad) {
		return
	}
	if ad.Priority == 0 {
		e.shorten(now.Add(e.skew(c)))
		e.preemptAt, e.lateAt = time.Time{}, time.Time{}
		e.leaving, e.leftAt = true, now
		return
	}
	patience := e.patience(c, now, src, ad.Interval)
	e.yielded = e.yielded && src == e.master
	e.know(src, ad.Priority)
	e.leaving, e.heardAt = false, now
	switch {
	case c.follows(ad.Priority):
		e.preemptAt = time.Time{}
	case c.preemptDelay() == 0 || e.over():
		// "Discard the ADVERTISEMENT": the timer runs on, and ends with us as
		// Master.
		e.lateAt = time.Time{}
		return
	case e.preemptAt.IsZero():
		// Never sooner than without a delay.
		e.preemptAt = later(e.masterDownAt, now.Add(c.preemptDelay()))
	}
	// RFC 3768 would discard a version 2 advert with another interval than ours,
	// so that both routers would be Master for good; following it is the lesser
	// evil, and is counted.
	e.masterDownAt = now.Add(patience)
	// An interval that is not believed yet may be what it keeps to.
	e.lateAt = now.Add(max(patience/2, ad.Interval+ad.Interval/4))
}

// gap is the time since the last advert of a Master that sends another one, in its
// intervals; zero: this is its first, or it had said that it leaves.
func (e *election) gap(now time.Time, src netip.Addr) float64 {
	if src != e.master || e.leaving || e.heardAt.IsZero() || e.interval == 0 {
		return 0
	}
	return now.Sub(e.heardAt).Seconds() / e.interval.Seconds()
}

// patience is how long this router waits for another advert after one that it
// follows, which is now. The interval of the advert becomes that of the Master
// if it is our own one, or was the Master's before, or was kept; RFC 9568
// section 6.4.2 believes any. Until then the Master is given that interval once,
// but never less than Active_Down_Interval by what was believed before and by our
// own interval, nor, where another Master is followed, more than that.
func (e *election) patience(c *Config, now time.Time, src netip.Addr, interval time.Duration) time.Duration {
	followed := src == e.master
	stranger := e.master.IsValid() && !followed && !e.leaving
	if kept := e.pace.kept(now, src, interval); kept || interval == c.Interval || followed && interval == e.interval {
		e.interval = interval
		return e.masterDown(c)
	}
	least := max(e.masterDown(c), c.masterDown(c.Interval))
	if stranger {
		return least
	}
	return max(least, min(interval+c.skew(interval), firstIntervals*c.Interval+c.skew(c.Interval)))
}

// outranked reports whether an advert comes from a worse router than the Master
// that is followed, which was heard as it should be and will answer it.
func (e *election) outranked(c *Config, now time.Time, src netip.Addr, ad Advert) bool {
	return e.master.IsValid() && src != e.master && !e.leaving && c.follows(e.priority) &&
		now.Sub(e.heardAt) <= e.interval+e.interval/4 && !beats(src, ad, e.master, e.priority)
}

// doubtful reports whether a Master that would be preempted now has let its advert be
// overdue, and puts that off: it is heard again, or has fallen silent.
func (e *election) doubtful(c *Config, now time.Time) bool {
	if e.leaving || !e.alive(c, now) || now.Sub(e.heardAt) <= e.interval+e.interval/4 {
		return false
	}
	e.masterDownAt = e.heardAt.Add(e.masterDown(c))
	if !e.preemptAt.IsZero() {
		e.preemptAt = e.masterDownAt
	}
	return true
}

// shorten makes Master_Down_Timer end at a time, unless it ends sooner.
func (e *election) shorten(at time.Time) {
	if at.Before(e.masterDownAt) {
		e.masterDownAt = at
	}
}

// update applies a changed configuration. The timer stays where it is or ends
// sooner: a Master that is overdue stays so.
func (e *election) update(c, old *Config, now time.Time) {
	if c.PreemptDelay != old.PreemptDelay || c.follows(e.priority) {
		e.preemptAt = time.Time{}
	}
	if !e.master.IsValid() {
		e.interval = c.Interval
	}
	e.shorten(now.Add(e.masterDown(c)))
	// A router that was about to preempt this Master, and is to follow it from
	// now on, counts from the Master's last advert.
	if e.alive(c, now) && c.follows(e.priority) {
		e.masterDownAt = later(e.masterDownAt, e.heardAt.Add(e.masterDown(c)))
	}
	e.delay(c)
}

// why is the reason for which this router becomes Master when Master_Down_Timer
// has ended.
func (e *election) why(c *Config) string {
	switch {
	case !e.master.IsValid():
		return "no adverts from any Master"
	case e.leaving:
		return fmt.Sprintf("%s is leaving", e.master)
	case e.priority < c.Priority && c.preempts() && c.preemptDelay() == 0:
		return fmt.Sprintf("preempts %s with priority %d", e.master, e.priority)
	default:
		return fmt.Sprintf("no more adverts from %s", e.master)
	}
}

// alive reports whether a Master is there that was heard, and that stays.
func (e *election) alive(c *Config, now time.Time) bool {
	return e.master.IsValid() && !e.leaving && now.Sub(e.heardAt) < e.masterDown(c)
}

// gives reports whether the Master that was heard last lets others take its role: it has
// said that it leaves, or it is there and can be preempted.
func (e *election) gives(c *Config, now time.Time) bool { return e.leaving || e.alive(c, now) }

// follows reports whether a Master of that priority is left in peace.
func (c *Config) follows(priority uint8) bool { return priority >= c.Priority || !c.preempts() }

// preempts is Preempt_Mode. The owner of the addresses "always preempts,
// independent of the setting of this flag" (RFC 9568 section 6.1).
func (c *Config) preempts() bool { return c.Preempt || c.Priority == ownerPriority }

func (c *Config) preemptDelay() time.Duration {
	if c.Priority == ownerPriority {
		return 0
	}
	return c.PreemptDelay
}

// beats reports whether the sender of an advert is the better Master: "If the
// Priority in the ADVERTISEMENT is greater than the local Priority or the
// Priority in the ADVERTISEMENT is equal to the local Priority and the primary
// IPvX address of the sender is greater than the local primary IPvX address
// (based on an unsigned integer comparison of the IPvX addresses in network
// byte order)" (RFC 9568 section 6.4.3).
func beats(src netip.Addr, ad Advert, own netip.Addr, priority uint8) bool {
	if ad.Priority != priority {
		return ad.Priority > priority
	}
	return src.Compare(own) > 0
}
