package director

import (
	"errors"
	"io/fs"
	"log/slog"
	"maps"
	"net/netip"
	"slices"
	"time"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/event"
	"github.com/lvsd/lvsd/internal/machine"
	"github.com/lvsd/lvsd/ipvsctl"
	"github.com/lvsd/lvsd/vrrp"
)

// look takes what a look at the machine found.
func (c *Core) look(now time.Time, in MachineSeen) {
	c.looking = false
	if in.Err != nil {
		c.settingFaults = ipvsctl.WithFault(c.settingFaults, in.Err)
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
	c.adjust()
	c.listen()
	c.tellFindings(now)
}

// tellFindings tells what was found since the last time, as far as no event has,
// and what is over.
func (c *Core) tellFindings(now time.Time) {
	before, known := c.found, c.counted
	c.found, c.counted = c.unreported(now), nil
	c.counted.adverts(c.adverts.since(counters(c.routers)), c.routers)
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

// settingsDue are the kernel's parameters as they should be now, and those that are to be as they were before.
func (c *Core) settingsDue() map[machine.Setting]string {
	all := maps.Clone(c.tuned)
	maps.Copy(all, c.wantedSettings())
	return all
}

// tunesIPVS reports whether more of IPVS than parameters is set, or was.
func (c *Core) tunesIPVS() bool {
	for s := range c.tuned {
		if !s.Sysctl() {
			return true
		}
	}
	return beyondParameters(c.config)
}

// adjust has the kernel's parameters set that are not as they should be, and what lvsd has
// changed kept as it was before. One that does not exist waits for the next look: there is
// no IPVS yet.
func (c *Core) adjust() {
	if c.stopping {
		return // What was changed gets its value back.
	}
	if c.tuning != nil {
		c.retune = true
		return
	}
	values := mistuned(c.wantedSettings(), c.facts.Settings, c.tuned)
	if len(values) == 0 && maps.Equal(c.tuned, c.saved) {
		return
	}
	c.tuning = copied(c.tuned)
	for s := range values {
		if _, known := c.tuning[s]; !known {
			c.tuning[s] = c.facts.Settings[s]
		}
	}
	c.do(Tune{values, c.tuning})
}

// adjusted takes what came of that.
func (c *Core) adjusted(now time.Time, in Tuned) {
	c.tuning = nil
	if in.Unsaved == nil {
		c.saved = in.Before
	} else if c.unsaved == nil {
		c.tell(now, event.Warning, "settings-unsaved", "", "what the kernel's parameters were before lvsd set them cannot be kept: if this process is killed, the next one does not give them back", slog.Any("error", in.Unsaved))
	}
	c.unsaved = in.Unsaved
	c.facts.Settings = copied(c.facts.Settings)
	heard := false
	for _, s := range slices.Sorted(maps.Keys(in.Values)) {
		value, before, refused := in.Values[s], c.facts.Settings[s], in.Refused[s]
		c.refused[s] = refused
		c.settingFaults = ipvsctl.WithFault(c.settingFaults, refused)
		was, tuned := c.tuned[s]
		switch gone := s.OfInterface() && errors.Is(refused, fs.ErrNotExist); {
		case tuned && (gone || refused == nil && value == was):
			delete(c.tuned, s) // Its interface is gone, or it is as it was.
		case !tuned && (refused == nil || !s.Sysctl()):
			c.tuned[s] = in.Before[s] // Of what is set by netlink, the answer may have been lost.
		}
		if refused == nil {
			heard = heard || s.OfInterface()
			c.facts.Settings[s] = value
			c.tell(now, event.Info, "setting-changed", string(s), "parameter of the kernel set",
				slog.String("setting", string(s)), slog.String("value", value), slog.String("before", before))
		}
	}
	if heard {
		c.do(Retry{}) // A check that was not run for their sake can be run now.
	}
	if c.retune {
		c.retune = false
		c.adjust()
	}
	c.listen()
	c.tellFindings(now)
}

// untuned are the parameters that lvsd has changed, or is changing, as they were before.
func (c *Core) untuned() map[machine.Setting]string {
	if c.tuning != nil {
		return c.tuning
	}
	return maps.Clone(c.tuned)
}

// restored are the parameters that get their values back when lvsd stops, and those that are
// kept with the table: without conntrack, connections of which the source is translated end.
func (c *Core) restored() (restore, kept map[machine.Setting]string) {
	restore = c.untuned()
	if !c.config.Director.KeepTable {
		return restore, nil
	}
	needed := make(map[machine.Setting]string)
	conntracked(needed, c.config.Services)
	for s := range needed {
		if before, changed := restore[s]; changed {
			restore = copied(restore)
			delete(restore, s)
			kept = map[machine.Setting]string{s: before}
		}
	}
	return restore, kept
}

// levels are the levels at which findings are logged.
var levels = map[api.Severity]slog.Level{api.Info: event.Info, api.Warning: event.Warning, api.Error: event.Error}

// ownAddresses returns the machine's addresses that are not virtual.
func ownAddresses(facts machine.Facts, routers []vrrp.Config) map[netip.Addr]bool {
	virtual := config.Holders(routers)
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
	all.certificates(now, c.config.Director.CertificateDays, &c.healths)
	all.watches(now, &c.watch)
	all = append(all, c.overdueChecks()...)
	all = append(all, c.held(now)...)
	all = append(all, c.absentees()...)
	all = append(all, c.reserves()...)
	all.learning(c)
	all.draining(c.draining)
	all.settings(c.config, c.facts, c.settingsDue(), c.refused)
	all.strays(c.config, c.facts, c.own)
	all.refused(c.config, c.own)
	all.inside(c.config.Routers, c.facts)
	all.replies(c.config, c.replies, c.own, c.masters(), c.healths.passes)
	return all
}
