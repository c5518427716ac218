package vrrp

import "time"

// earliest returns the first of some times, of which those that are zero do not
// count.
func earliest(times ...time.Time) time.Time {
	var first time.Time
	for _, t := range times {
		if !t.IsZero() && (first.IsZero() || t.Before(first)) {
			first = t
		}
	}
	return first
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func due(t, now time.Time) bool { return !t.IsZero() && !now.Before(t) }
