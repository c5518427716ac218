package vrrp

import "time"

const (
	// A new Master announces its addresses again after these times: when a
	// predecessor that kept answering has let go, for hosts that asked by ARP in
	// between and heard that one; and once more for hosts and switches that
	// missed the others.
	secondAnnounce = 2 * Overlap
	thirdAnnounce  = 5 * time.Second
	// announceEvery bounds announcements that other Masters provoke.
	announceEvery = time.Second
	// claimedEvery bounds those that somebody else's ARP or neighbour discovery provokes:
	// another Master that does so too would answer each of them.
	claimedEvery = 10 * time.Second
)

// Announcements are when a Master announces its addresses.
type announcements struct {
	lastAt   time.Time
	secondAt time.Time // a new Master's second one, beside
	nextAt   time.Time // the next one
	// refreshAt is when there is to be one although nothing has happened, after refresh.
	refreshAt time.Time
	refresh   time.Duration
}

func (a *announcements) deadline() time.Time { return earliest(a.secondAt, a.nextAt, a.refreshAt) }

// stop cancels those to come.
func (a *announcements) stop() {
	a.secondAt, a.nextAt, a.refreshAt = time.Time{}, time.Time{}, time.Time{}
}

// every sets how often there is to be one although nothing has happened; zero: never.
func (a *announcements) every(refresh time.Duration) {
	if a.refresh = refresh; refresh == 0 {
		a.refreshAt = time.Time{}
	}
}

// now makes one.
func (a *announcements) now(now time.Time) Action {
	a.lastAt = now
	if a.refresh > 0 {
		a.refreshAt = now.Add(a.refresh)
	}
	return Announce{}
}

// first makes the first one of a new Master, which two more follow.
func (a *announcements) first(now time.Time) Action {
	a.secondAt, a.nextAt = now.Add(secondAnnounce), now.Add(thirdAnnounce)
	return a.now(now)
}

// contested follows a meeting with another Master, whose own announcements may
// have drawn hosts and switches away: one at once, and another when the other
// Master has let go, but never more often than announceEvery.
func (a *announcements) contested(now time.Time) []Action {
	next := now.Add(announceEvery)
	if now.Sub(a.lastAt) >= announceEvery {
		a.nextAt = next
		return []Action{a.now(now)}
	}
	if a.nextAt.IsZero() || next.Before(a.nextAt) {
		a.nextAt = next
	}
	return nil
}

// claimed follows somebody else's word that it has one of the addresses.
func (a *announcements) claimed(now time.Time) []Action {
	if now.Sub(a.lastAt) < claimedEvery {
		return nil
	}
	return []Action{a.now(now)}
}

// after makes one at that time, unless there is an earlier one.
func (a *announcements) after(at time.Time) {
	if a.nextAt.IsZero() || at.Before(a.nextAt) {
		a.nextAt = at
	}
}

// expire makes the one that is due.
func (a *announcements) expire(now time.Time) []Action {
	again := false
	for _, t := range [...]*time.Time{&a.secondAt, &a.nextAt, &a.refreshAt} {
		if due(*t, now) {
			*t, again = time.Time{}, true
		}
	}
	if !again {
		return nil
	}
	return []Action{a.now(now)}
}
