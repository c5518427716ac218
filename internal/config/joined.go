package config

import (
	"slices"
	"strconv"

	"github.com/lvsd/lvsd/internal/block"
	"github.com/lvsd/lvsd/vrrp"
)

// joined judges sync groups by the virtual routers that there are, and makes these
// their members. It needs a configuration without mistakes.
type joined struct {
	report  *block.Reports
	routers []vrrp.Config
}

func (j joined) judge(g syncGroup) {
	var names []string
	for i := range j.routers {
		names = append(names, j.routers[i].Name)
	}
	var first *vrrp.Config
	hard := make(map[string]vrrp.Track)
	for _, it := range g.routers {
		i := slices.Index(names, it.Text)
		if i < 0 {
			j.report.Mistake(it.At, "Unknown virtual_router "+strconv.Quote(it.Text), "%sThere is %s.", language().DidYouMean(it.Text, names), block.Listed(names))
			continue
		}
		c := &j.routers[i]
		j.join(g, it, c)
		j.checkOpposites(g, it, c, hard)
		if g.runs && c.Preempt {
			j.report.Doubt(it.At, "Resources with preempt", preemptDoubt)
		}
		if first == nil {
			first = c
		} else if c.Priority != first.Priority {
			j.report.Doubt(it.At, "Different priorities in a group", "%q has priority %d, and %q has %d. A group moves to a director that is better for every one of its routers: write the same priority for all of them.",
				first.Name, first.Priority, c.Name, c.Priority)
		}
	}
}

// join makes a virtual router a member of a group.
func (j joined) join(g syncGroup, it block.Item, c *vrrp.Config) {
	if c.Priority == ownerPriority {
		j.report.Mistake(it.At, "Owner in a group", "%q has priority 255: the owner of its addresses keeps them for good, and can't move with others. Use a priority up to 254.", c.Name)
	}
	c.SyncGroup = g.name
	for _, t := range g.track {
		if !tracked(c.Track, t.Condition) {
			c.Track = append(slices.Clip(c.Track), t)
		}
	}
}

// checkOpposites warns where one router of a group may run only while a condition holds,
// and another one only while it does not. Hard has what those before it demand.
func (j joined) checkOpposites(g syncGroup, it block.Item, c *vrrp.Config, hard map[string]vrrp.Track) {
	for _, t := range c.Track {
		before, known := hard[t.Condition]
		switch {
		case t.Weight != 0:
		case !known:
			hard[t.Condition] = t
		case before.Reverse != t.Reverse:
			j.report.Doubt(it.At, "Both directors would stand back", "%q and another router of group %q ask for opposite things (reverse): one runs only while %s holds, the other only while it does not. What one of them lacks, all lack, so no director is ever Master: let both ask for the same, or track it with a weight.",
				c.Name, g.name, t.Condition)
		}
	}
}
