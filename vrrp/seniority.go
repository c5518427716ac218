package vrrp

import "time"

// freshFor bounds for how long after it became Master a router yields to one that was
// there before it. Ports of switches forward sooner.
const freshFor = 5 * time.Minute

// assertIntervals is for how many of the longer interval of both a Master asserts
// itself against a better one, which yields at once if it has not heard anybody before.
const assertIntervals = 2

// A seniority is which of two Masters that meet was there before the other, where
// that is to count: a director whose link came up hears nobody while a port on the way
// does not forward yet, and becomes Master beside the living one. When they hear each
// other, the priority alone would let it keep what it would not have taken.
type seniority struct {
	// alone: it heard nobody before it became Master, nor since.
	alone bool
	// yielding: it has heard somebody, has told that it is there, and listens whether
	// the other one goes on.
	yielding bool
	better   rivals // better Masters that were met
}

// became notes that the router is Master, after it has heard a Master or nobody.
func (s *seniority) became(heard bool) { *s = seniority{alone: !heard} }

// yields reports whether a router that has been Master for some time has to yield to one
// that it meets and that is no better. It does where it would not have taken over, had it
// heard that one in time.
func (s *seniority) yields(c *Config, served time.Duration) bool {
	alone := s.alone
	s.alone = false
	return alone && served < freshFor && !c.preempts()
}

// asserts reports whether a router that has been Master for some time goes on for a moment
// although it meets a better one: so that one which has just come, and would not preempt
// either, hears it. A Master of little experience may have come by mistake itself.
func (s *seniority) asserts(c *Config, now time.Time, served time.Duration, ad Advert) bool {
	alone := s.alone
	s.alone = false
	if alone || c.preempts() || ad.Priority == ownerPriority || served < c.masterDown(c.Interval) {
		return false
	}
	interval := max(c.Interval, ad.Interval)
	return s.better.met(now, interval) < assertIntervals*interval
}
