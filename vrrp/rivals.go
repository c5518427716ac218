package vrrp

import (
	"fmt"
	"net/netip"
	"time"
)

// Rivals are other Masters that a Master meets and does not give way to, or not yet.
type rivals struct{ since, lastAt time.Time }

// met notes an advert of one, and returns for how long they have been there. One that
// gives way when it is answered is no news; one that goes on does not hear us.
func (v *rivals) met(now time.Time, interval time.Duration) (lasted time.Duration) {
	if now.Sub(v.lastAt) > 4*interval {
		v.since = now
	}
	v.lastAt = now
	return now.Sub(v.since)
}

// A dispute is that a director advertises one of our addresses with another virtual
// router id, so that both are Master. It lasts while that one's adverts come.
type dispute struct {
	text  string
	until time.Time
}

// disputeIntervals is how many intervals of its sender an advert counts as news.
const disputeIntervals = 4

// heard notes an advert of it.
func (d *dispute) heard(now time.Time, src netip.Addr, ad Advert, address netip.Addr, vrid uint8) {
	d.text = fmt.Sprintf("%s advertises %s too, but with virtual router id %d instead of %d", src, address, ad.VRID, vrid)
	d.until = now.Add(disputeIntervals * ad.Interval)
}

// lasting returns what it is while it lasts.
func (d *dispute) lasting(now time.Time) string {
	if due(d.until, now) {
		return ""
	}
	return d.text
}
