package hook

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
)

// Assert runs the hooks again that are for the present state of routers and sync groups
// of these names, or of all where there are none; of a group, those of its routers, too.
// What came of them is told by a Conclude.
func (c *Core) Assert(now time.Time, names []string, by api.User, asker func(api.Ordered)) []Effect {
	if c.order != nil {
		return []Effect{Conclude{asker, complete(api.Ordered{Error: "hooks are run again by another order already: wait until that has ended"})}}
	}
	c.order = &order{asker: asker, until: now.Add(patience)}
	for _, o := range slices.SortedFunc(maps.Keys(c.queues), config.Owner.Compare) {
		q := c.queues[o]
		concerned := len(names) == 0 || slices.Contains(names, o.Name()) || c.routers[o.Router] != nil && slices.Contains(names, c.routers[o.Router].group)
		if !concerned || !q.wanted || q.state == "" || q.state == stop {
			continue
		}
		for _, e := range q.hooks {
			if !e.isFor(q.state) {
				continue
			}
			a := &api.Asserted{Router: o.Router, SyncGroup: o.Group, On: e.On, Program: e.status.Program, Outcome: api.AssertedNot, HookRun: api.HookRun{State: q.state}}
			c.order.runs = append(c.order.runs, a)
			q.assert(e, byOrder, fmt.Sprintf("nothing has changed, and %v has ordered it", by), a)
		}
	}
	return c.proceed(now)
}
