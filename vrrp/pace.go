package vrrp

import (
	"net/netip"
	"time"
)

// A pace is the interval that another router advertises, and whether its adverts
// come at it. One packet, forged or mistaken, may announce any interval; only
// who goes on sending at that pace is waited for three times as long.
type pace struct {
	of       netip.Addr
	interval time.Duration
	from     time.Time // the advert from which the next one is measured
}

// kept notes an advert, and reports whether it came an interval after an earlier
// one, give or take a quarter. One that came sooner counts for nothing: a Master
// answers other routers at once, and goes on at its pace.
func (p *pace) kept(now time.Time, of netip.Addr, interval time.Duration) bool {
	same, gap := p.of == of && p.interval == interval, now.Sub(p.from)
	if interval == 0 || same && gap < interval-interval/4 {
		return false // Zero cannot be meant.
	}
	*p = pace{of, interval, now}
	return same && gap <= interval+interval/4
}
