package director

import (
	"cmp"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/event"
	"github.com/lvsd/lvsd/internal/text"
)

// keepOut keeps out those servers that have failed and lost their rows. One that panic
// or isolation has held in never left the table, so it is not kept out of it.
func (c *Core) keepOut(now time.Time) {
	changed := false
	for i := range c.config.Services {
		s := &c.config.Services[i]
		if !s.Policed().ManualResume {
			continue
		}
		holds := c.holds(i)
		for j := range s.Servers[:s.Real()] {
			standing := c.healths.Standing(i, j)
			if standing.State != checker.Down || !standing.Fell {
				continue
			}
			a := c.absentOf(i, j)
			since, out := c.kept.since[a]
			held := slices.ContainsFunc(holds, func(h Hold) bool { return h.holds(now, standing) })
			switch {
			case held && out && since.Equal(standing.Since):
				delete(c.kept.since, a)
				changed = true
			case !held && !out:
				c.kept.add(a, standing.Since)
				changed = true
				c.tell(now, event.Warning, "server-kept-out", s.Name+"/"+s.Servers[j].Name, "real server has failed, and stays out until an operator lets it in (manual_resume)",
					slog.String("service", s.Name), slog.String("server", s.Servers[j].Name), slog.String("address", s.Servers[j].Key.String()),
					slog.String("remedy", "lvsd resume "+s.Name+"/"+s.Servers[j].Name))
			}
		}
	}
	if changed {
		c.saveKeptOut()
	}
}

// saveKeptOut has them kept beyond this process, one writing after the other.
func (c *Core) saveKeptOut() {
	if c.kept.saving {
		c.kept.unsaved = true
		return
	}
	c.kept.saving, c.kept.unsaved = true, false
	all := make(SaveKeptOut, 0, len(c.kept.since))
	for a, since := range c.kept.since {
		all = append(all, KeptOut{a.service, a.server, since})
	}
	slices.SortFunc(all, func(a, b KeptOut) int { return cmp.Or(cmp.Compare(a.Service, b.Service), a.Server.Compare(b.Server)) })
	c.do(all)
}

// savedKeptOut takes what came of that.
func (c *Core) savedKeptOut(now time.Time, err error) {
	c.kept.saving = false
	if err != nil {
		c.tell(now, event.Warning, "kept-out-unsaved", "", "which real servers are kept out (manual_resume) is not remembered over a restart of lvsd", slog.Any("error", err))
	}
	if c.kept.unsaved {
		c.saveKeptOut()
	}
}

// absentees finds real servers that wait for an operator.
func (c *Core) absentees() findings {
	var all findings
	var names []string
	for i := range c.config.Services {
		s := &c.config.Services[i]
		for j := range s.Servers {
			if _, out := c.kept.since[c.absentOf(i, j)]; out {
				names = append(names, s.Name+"/"+s.Servers[j].Name)
			}
		}
	}
	if len(names) > 0 {
		all.add(api.Warning, "servers-kept-out", "", fmt.Sprintf("see why, then let it in: lvsd resume %s", names[0]),
			"%s failed and %s kept out until lvsd resume (manual_resume): %s", text.Count(len(names), "real server"), text.Be(len(names)), text.Few(names))
	}
	return all
}
