package vrrp

import "time"

// Rivals are other Masters that a Master meets and does not give way to.
type rivals struct{ since, lastAt time.Time }

// heard notes an advert of one, and reports whether they persist. One that goes
// on although it was answered does not hear us; one that gives way is no news.
func (v *rivals) heard(now time.Time, interval time.Duration) (persist bool) {
	if now.Sub(v.lastAt) > 4*interval {
		v.since = now
	}
	v.lastAt = now
	return now.Sub(v.since) >= interval
}
