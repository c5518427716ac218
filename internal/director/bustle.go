package director

import (
	"cmp"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/event"
)

// maxOneByOne is how many changes of real servers are told one by one between two
// heartbeats, and maxSummaries of how many services the rest is told for each.
const (
	maxOneByOne  = 20
	maxSummaries = 10
)

// A bustle is what has changed since the last heartbeat: a rack that dies is not ten
// thousand lines.
type bustle struct {
	told     int
	services map[string]*changed
}

// A changed is how many servers of a service have changed that were not told one by one.
type changed struct {
	name             string
	down, up, reason int
	last             string // why the last one is down
}

// takes reports whether a change is told by itself, and counts it if not.
func (b *bustle) takes(change *Change) bool {
	if b.told < maxOneByOne {
		b.told++
		return true
	}
	s := b.services[change.Service]
	if s == nil {
		if b.services == nil {
			b.services = make(map[string]*changed)
		}
		s = &changed{name: change.Service}
		b.services[change.Service] = s
	}
	switch {
	case change.Before != "":
		s.reason++
	case change.State == checker.Up:
		s.up++
	case change.State == checker.Down:
		s.down++
	}
	if change.State == checker.Down {
		s.last = change.Detail
	}
	return false
}

// tellTogether tells of the servers that have changed since the last heartbeat and were not
// told one by one: of the services where most have, and of the others in one line.
func (c *Core) tellTogether(now time.Time) {
	all := slices.SortedFunc(maps.Values(c.bustle.services), func(a, b *changed) int {
		return cmp.Or(cmp.Compare(b.down+b.up+b.reason, a.down+a.up+a.reason), cmp.Compare(a.name, b.name))
	})
	c.bustle = bustle{}
	few := all[:min(len(all), maxSummaries)]
	for _, s := range few {
		c.tellSummary(now, s, slog.String("service", s.name))
	}
	if rest := all[len(few):]; len(rest) > 0 {
		var sum changed
		for _, s := range rest {
			sum.down, sum.up, sum.reason, sum.last = sum.down+s.down, sum.up+s.up, sum.reason+s.reason, cmp.Or(s.last, sum.last)
		}
		c.tellSummary(now, &sum, slog.Int("services", len(rest)))
	}
}

func (c *Core) tellSummary(now time.Time, s *changed, of slog.Attr) {
	severity := event.Info
	attributes := []slog.Attr{of, slog.Int("down", s.down), slog.Int("up", s.up)}
	if s.down+s.reason > 0 {
		severity = event.Warning
		attributes = append(attributes, slog.String("last_reason", s.last))
	}
	if s.reason > 0 {
		attributes = append(attributes, slog.Int("down_for_another_reason", s.reason))
	}
	c.tell(now, severity, "servers-changed", s.name, "more real servers have changed in this second than are told one by one", attributes...)
}
