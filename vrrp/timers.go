package vrrp

import (
	"fmt"
	"time"
)

// ownerPriority is the priority of the router whose own addresses the
// virtual ones are (RFC 9568 section 5.2.4).
const ownerPriority = 255

// patienceIntervals is the number of adverts that must be missed before a
// backup takes over (RFC 9568 section 6.1, Active_Down_Interval).
const patienceIntervals = 3

// skew is Skew_Time (RFC 9568 section 6.1; RFC 3768 section 6.1, where it is
// a fraction of a second whatever the interval).
func (r *Router) skew() time.Duration {
	unit := r.masterInterval
	if r.c.Version == 2 {
		unit = time.Second
	}
	return time.Duration(256-int(r.priority())) * unit / 256
}

// masterDown is Active_Down_Interval, Master_Down_Interval in older RFCs.
func (r *Router) masterDown() time.Duration {
	return patienceIntervals*r.masterInterval + r.skew()
}

// Deadline is when Expire has something to do; zero: nothing is scheduled.
func (r *Router) Deadline() time.Time {
	var first time.Time
	for _, t := range [...]time.Time{r.masterDownAt, r.preemptAt, r.adverAt, r.announceAt, r.soonAt, r.releaseAt} {
		if !t.IsZero() && (first.IsZero() || t.Before(first)) {
			first = t
		}
	}
	return first
}

// Expire does what is due, and nothing before Deadline.
func (r *Router) Expire(now time.Time) []Action {
	var acts []Action
	switch r.state {
	case Backup:
		acts = r.expireBackup(now)
	case Master:
		acts = r.expireMaster(now)
	}
	// A router that became Master just now keeps its addresses.
	if due(r.releaseAt, now) {
		acts = append(acts, r.expireRelease()...)
	}
	return acts
}

func (r *Router) expireBackup(now time.Time) []Action {
	switch {
	case due(r.masterDownAt, now):
		if acts, late := r.overslept(now, r.masterDownAt); late {
			return acts
		}
		return r.becomeMaster(now, r.whyMaster())
	case due(r.preemptAt, now):
		if acts, late := r.overslept(now, r.preemptAt); late {
			return acts
		}
		return r.becomeMaster(now, fmt.Sprintf("preempts %s after the delay", r.master))
	}
	return nil
}

// overslept tells that a Backup woke up too late to trust its timer: it may
// not have read, or not even been given, what arrived meanwhile. It listens a
// while then; but a machine that is always a little late does so only once.
func (r *Router) overslept(now, timer time.Time) ([]Action, bool) {
	late := now.Sub(timer)
	tolerated := listen(r.masterInterval, false)
	if r.listening {
		tolerated = patienceIntervals * r.masterInterval
	}
	if late <= tolerated {
		return nil, false
	}
	r.counters.Stalls++
	r.listening = true
	r.preemptAt = time.Time{}
	r.masterDownAt = now.Add(listen(r.masterInterval, late >= r.masterInterval))
	return r.noteStall(now, late), true
}

func (r *Router) expireMaster(now time.Time) []Action {
	var acts []Action
	if due(r.adverAt, now) {
		switch {
		case r.stalled(now):
			return r.hush(now)
		case r.listening:
			return r.assert(now)
		}
		// From when it was due, so that lateness does not add up.
		next := r.adverAt.Add(r.c.Interval)
		if !next.After(now) {
			next = now.Add(r.c.Interval)
		}
		r.adverAt, r.answers = next, 0
		acts = append(acts, r.send(now, r.priority()))
	}
	again := false
	for _, t := range [...]*time.Time{&r.soonAt, &r.announceAt} {
		if due(*t, now) {
			*t, again = time.Time{}, true
		}
	}
	if again {
		acts = append(acts, r.announce(now))
	}
	return acts
}

// expireRelease lets the addresses go, unless nobody came for them and they
// shall be left for that case.
func (r *Router) expireRelease() []Action {
	if r.leave && !r.takenOver {
		r.releaseAt = time.Time{}
		return nil
	}
	return []Action{r.release()}
}

// stalled tells that our last advert is older than a peer's patience at its
// shortest, so that another router may be Master by now.
func (r *Router) stalled(now time.Time) bool {
	since := r.sentAt
	if r.listening {
		since = r.adverAt
	}
	return now.Sub(since) >= patienceIntervals*r.c.Interval
}

// hush makes a Master that woke up late listen before it asserts itself. Its
// addresses stay meanwhile: without another Master they are still its own.
func (r *Router) hush(now time.Time) []Action {
	r.counters.Stalls++
	r.listening = true
	late := now.Sub(r.adverAt)
	certain := now.Sub(r.sentAt) >= (patienceIntervals+1)*r.c.Interval
	r.adverAt = now.Add(listen(r.c.Interval, certain))
	r.announceAt, r.soonAt = time.Time{}, time.Time{}
	return r.noteStall(now, late)
}

func (r *Router) noteStall(now time.Time, late time.Duration) []Action {
	return r.note(now, "stall", "woke up %s late: listens before it acts as Master; look for an overloaded or suspended machine",
		late.Round(time.Millisecond))
}

// listen is how long a router listens after a stall: just long enough to read
// what has arrived, or where adverts of another Master may also have been
// lost, until its next one is overdue.
func listen(interval time.Duration, long bool) time.Duration {
	if long {
		return interval + interval/4
	}
	return interval / 8
}

// assert ends the listening of a Master that heard nobody. Its addresses may
// have outlived their lifetime, and its frames are forgotten.
func (r *Router) assert(now time.Time) []Action {
	r.listening, r.answers = false, 0
	r.adverAt = now.Add(r.c.Interval)
	r.announceAgain(now)
	return []Action{r.send(now, r.priority()), Hold{}, r.announce(now)}
}

// announceAgain schedules what follows a first announcement.
func (r *Router) announceAgain(now time.Time) {
	r.soonAt, r.announceAt = now.Add(secondAnnounce), now.Add(thirdAnnounce)
}

func (r *Router) whyMaster() string {
	switch {
	case !r.master.IsValid():
		return "heard no Master"
	case r.leaving:
		return fmt.Sprintf("%s is leaving", r.master)
	case r.masterPriority < r.priority() && r.preempts() && r.preemptDelay() == 0:
		return fmt.Sprintf("preempts %s with priority %d", r.master, r.masterPriority)
	default:
		return fmt.Sprintf("heard no more of %s", r.master)
	}
}

func due(t, now time.Time) bool { return !t.IsZero() && !now.Before(t) }
