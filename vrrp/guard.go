package vrrp

import (
	"fmt"
	"net/netip"
	"slices"
	"time"
)

const (
	// askTries is how often a router asks who has an address, askEvery apart,
	// before it believes that nobody has.
	askTries = 3
	askEvery = 100 * time.Millisecond
	// askAgain is how soon it asks again after an answer, at most.
	askAgain = time.Second
)

// A guard keeps a router from becoming Master beside one that it does not
// understand: whose adverts arrive and are in order, but are refused for their
// version or their authentication, while somebody else answers for an address that
// they carry. Either alone proves nothing: adverts can be forged, and a machine
// whose daemon has died may answer for its addresses for ever.
type guard struct {
	master   netip.Addr // that was heard last
	why      error      // its advert was refused
	interval time.Duration
	heardAt  time.Time
	// address is the first one of ours in that advert.
	address netip.Addr

	asked int    // since the question was put
	mac   string // of whoever answered last
	aside bool   // the router stands aside, and has told so
}

// hear notes an advert that was refused for its version or its authentication
// alone. It reports whether its sender, which is the Master heard last, leaves.
func (g *guard) hear(now time.Time, src netip.Addr, ad Advert, ours []netip.Addr, why error) (leaving bool) {
	if ad.Priority == 0 {
		return src == g.master
	}
	if i := slices.IndexFunc(ad.Addresses, func(a netip.Addr) bool { return slices.Contains(ours, a) }); i >= 0 {
		g.master, g.why, g.interval, g.heardAt, g.address = src, why, ad.Interval, now, ad.Addresses[i]
	}
	return false
}

// until is when that Master counts as gone unless it is heard again: after
// Master_Down, by its own interval if that is longer than ours, but then after
// firstIntervals of ours at most. Where none was heard, that is long over.
func (g *guard) until(c *Config) time.Time {
	theirs := min(c.masterDown(g.interval), firstIntervals*c.Interval+c.skew(c.Interval))
	return g.heardAt.Add(max(c.masterDown(c.Interval), theirs))
}

// blocks reports whether the router has to ask before it becomes Master.
func (g *guard) blocks(c *Config, now time.Time) bool {
	return !c.Insist && c.Priority != ownerPriority && now.Before(g.until(c)) && g.asked != askTries
}

// consult is asked by a router that would become Master. It returns until when the
// router has to ask who has the address, and wait; zero: nothing speaks against it.
func (g *guard) consult(c *Config, now time.Time) (until time.Time) {
	if !g.blocks(c, now) {
		return time.Time{}
	}
	g.asked++
	return earliest(now.Add(askEvery), g.until(c))
}

// answered notes that somebody else has the address, and returns when to ask again.
// Zero: nobody has asked.
func (g *guard) answered(c *Config, now time.Time, mac string) (again time.Time) {
	if g.asked == 0 {
		return time.Time{}
	}
	g.asked, g.mac = 0, mac
	return earliest(now.Add(max(askAgain, c.Interval)), g.until(c))
}

// orUnknown is a MAC, if it was told.
func orUnknown(mac string) string {
	if mac == "" {
		return "somebody"
	}
	return mac
}

// end forgets that the router stood aside, and what was asked.
func (g *guard) end() { g.asked, g.mac, g.aside = 0, "", false }

// gone is why nothing speaks against becoming Master any more; empty: nothing did.
func (g *guard) gone() string {
	switch {
	case g.asked == askTries:
		return fmt.Sprintf("nobody answers for %s, which %s advertises", g.address, g.master)
	case g.aside:
		return fmt.Sprintf("no more adverts from %s, which were refused", g.master)
	default:
		return ""
	}
}
