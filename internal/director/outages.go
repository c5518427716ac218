package director

import (
	"log/slog"
	"net/netip"
	"slices"
	"time"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/event"
	"github.com/lvsd/lvsd/ipvsctl"
)

// plan makes the table what it should be now.
func (c *Core) plan(now time.Time) {
	c.outdated = false
	c.judgePanics(now)
	c.planned = Plan(now, c.config, World{
		Standing:     c.standing,
		Holds:        c.holds,
		Below:        c.below,
		Low:          c.lowTiers,
		Master:       c.masters(),
		Own:          func(a netip.Addr) bool { return c.own[a] },
		AwaitedUntil: c.awaited,
		Private:      c.private,
		Leaving:      c.leaving,
		Draining:     c.draining,
	})
	for i, v := range c.planned.Verdicts {
		if v.Supply != api.Undecided {
			delete(c.leaving, c.config.Services[i].Key)
		}
	}
	if len(c.leaving) == 0 {
		c.leaving = nil // An empty map is as large as it was.
	}
	c.keepOut(now)
	c.tellOutages(now)
	c.tellHooks()
	c.setTable()
}

// table is the one for now.
func (c *Core) table() ipvsctl.Table {
	return c.remarking.table(c.planned.Table, c.config.Services, c.leaving)
}

// setTable makes it the kernel's.
func (c *Core) setTable() {
	if c.opened {
		c.kernel = TableSeen{Unruled: c.kernel.Unruled}
		c.tellConnections()
		c.do(SetTable{Table: c.table(), Exclusive: c.config.Director.ExclusiveTable, Packets: len(c.lulls) > 0, Watched: keysOf(c.config.Services, slices.Concat(c.suspects.services(), c.draining.services()))})
	}
}

// tellOutages tells of the virtual services that have lost their last server by
// the newest verdicts, and of those that have one again. A service that is
// undecided or withheld stays as it was.
func (c *Core) tellOutages(now time.Time) {
	outages := make(map[ipvsctl.ServiceKey]bool)
	low := make(map[ipvsctl.ServiceKey]bool)
	order := make(map[ipvsctl.ServiceKey]ranked)
	for i, v := range c.planned.Verdicts {
		s := &c.config.Services[i]
		c.tellQuorum(now, s, v)
		if v.Below || v.Supply == api.Withheld && c.low[s.Key] {
			low[s.Key] = true
		}
		if was := c.ranked[s.Key]; v.Supply == api.Withheld && was != (ranked{}) {
			order[s.Key] = was
		} else if v.ranked != (ranked{}) {
			order[s.Key] = v.ranked
			c.tellTier(now, s, was, v.ranked)
		}
		was := c.outages[s.Key]
		switch {
		case v.Supply == api.Unserved && !was:
			c.tell(now, event.Warning, "service-unserved", s.Name, "virtual service has no real server left",
				append(about(s), slog.String("why", v.why()))...)
		case v.Supply == api.Served && was:
			c.tell(now, event.Info, "service-served", s.Name, "virtual service has a real server again", about(s)...)
		}
		if v.Supply == api.Unserved || was && v.Supply != api.Served {
			outages[s.Key] = true
		}
	}
	c.outages, c.low, c.ranked = outages, low, order
}

// tellQuorum tells that fewer servers of a service take connections than must, or
// enough again.
func (c *Core) tellQuorum(now time.Time, s *config.Service, v Verdict) {
	switch was := c.low[s.Key]; {
	case v.Below && !was:
		c.tell(now, event.Warning, "quorum-lost", s.Name, "fewer real servers of the virtual service take connections than min_healthy",
			append(about(s), slog.String("min_healthy", s.Policed().MinHealthy.String()))...)
	case was && !v.Below && v.Supply != api.Withheld:
		c.tell(now, event.Info, "quorum-reached", s.Name, "enough real servers of the virtual service take connections again", about(s)...)
	}
}

// tellTier tells that servers of another tier serve. That none has enough, the service tells.
func (c *Core) tellTier(now time.Time, s *config.Service, was, is ranked) {
	severity, what := event.Info, "the servers of the first tier serve again"
	switch {
	case was.Tier == is.Tier || is.Tier == 0 || is.fallback() || !is.late() && !was.late():
		return
	case is.late():
		severity, what = event.Warning, "servers of a later tier serve, since too few of those before take connections"
	}
	c.tell(now, severity, "tier-serves", s.Name, what, append(about(s), slog.Int("tier", int(is.Tier)))...)
}
