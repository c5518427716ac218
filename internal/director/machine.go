package director

import (
	"log/slog"
	"maps"
	"net/netip"
	"time"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/event"
	"github.com/lvsd/lvsd/internal/machine"
	"github.com/lvsd/lvsd/vrrp"
)

// look takes what a look at the machine found.
func (c *Core) look(now time.Time, in MachineSeen) {
	c.looking = false
	if in.Err != nil {
		c.tell(now, event.Warning, "machine-unseen", "", "could not read this machine's interfaces and settings", slog.Any("error", in.Err))
		return
	}
	c.see(now, in.Facts)
}

// see works out what the machine means for the configuration, and tells what is
// wrong with it.
func (c *Core) see(now time.Time, facts machine.Facts) {
	own := ownAddresses(facts, c.config.Routers)
	c.outdated = c.outdated || !maps.Equal(c.own, own)
	c.facts, c.own = facts, own
	c.tellFindings(now)
}

// tellFindings tells what was found since the last time, as far as no event has,
// and what is over.
func (c *Core) tellFindings(now time.Time) {
	before, known := c.found, c.counted
	c.found, c.counted = c.unreported(now), nil
	c.counted.adverts(c.adverts.since(counters(c.routers)))
	for _, f := range c.found.without(before) {
		var remedy []slog.Attr
		if f.Remedy != "" {
			remedy = append(remedy, slog.String("remedy", f.Remedy))
		}
		c.tell(now, levels[f.Severity], f.Code, f.Subject, f.Text, remedy...)
	}
	for _, f := range append(before.without(c.found), known.without(c.counted)...) {
		c.tell(now, event.Info, "finding-over", f.Subject, "no longer true: "+f.Text, slog.String("finding", f.Code))
	}
}

// levels are the levels at which findings are logged.
var levels = map[api.Severity]slog.Level{api.Info: event.Info, api.Warning: event.Warning, api.Error: event.Error}

// ownAddresses returns the machine's addresses that are not virtual.
func ownAddresses(facts machine.Facts, routers []vrrp.Config) map[netip.Addr]bool {
	virtual := holders(routers)
	own := make(map[netip.Addr]bool, len(facts.Addresses))
	for _, p := range facts.Addresses {
		// No other director can send anything to a loopback address.
		if _, ok := virtual[p.Addr()]; !ok && !p.Addr().IsLoopback() {
			own[p.Addr()] = true
		}
	}
	return own
}

// unreported finds what no event tells of: it came about outside.
func (c *Core) unreported(now time.Time) findings {
	var all findings
	all.forwarding(c.config.Services, c.facts)
	all.checks(now, &c.healths)
	return all
}
