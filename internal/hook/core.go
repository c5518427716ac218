package hook

import (
	"maps"
	"slices"
	"time"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/spawn"
	"github.com/lvsd/lvsd/vrrp"
)

// A Core decides which hooks run. The zero value is ready for use.
type Core struct {
	queues map[string]*queue // by the names of the routers that have hooks, or had some
	runs   uint64            // that were begun
	// finishing: every router has stopped, whatever is still heard of one.
	finishing bool
}

// Configure takes the routers and hooks of a configuration. The hooks of a router that
// is gone are kept until they have been told of its end.
func (c *Core) Configure(now time.Time, routers []vrrp.Config, hooks []config.Hook) []Effect {
	if c.queues == nil {
		c.queues = make(map[string]*queue)
	}
	of := make(map[string][]config.Hook)
	for _, h := range hooks {
		of[h.Router] = append(of[h.Router], h)
	}
	for _, q := range c.queues {
		q.wanted = false
	}
	for i := range routers {
		name := routers[i].Name
		q := c.queues[name]
		if q == nil {
			if len(of[name]) == 0 {
				continue
			}
			q = &queue{router: name}
			c.queues[name] = q
		}
		q.wanted = true
		q.configure(of[name])
	}
	return c.proceed(now)
}

// Take takes what the keeper has told: events, the first one first, and then how all
// routers are; nil: nothing is said of that.
func (c *Core) Take(now time.Time, statuses []vrrp.Status, events []vrrp.Event) []Effect {
	if c.finishing || len(c.queues) == 0 {
		return nil
	}
	var effects []Effect
	for _, e := range events {
		if q, state := c.queues[e.Router], stateAfter(e); q != nil && state != "" {
			effects = append(effects, q.enter(now, state, e.Text)...)
		}
	}
	if statuses != nil {
		effects = append(effects, c.compare(now, statuses)...)
	}
	return append(effects, c.proceed(now)...)
}

// compare takes how all routers are, which is what counts: an event may have found no
// room. Of a router that has ended there may be a successor of the same name.
func (c *Core) compare(now time.Time, statuses []vrrp.Status) (effects []Effect) {
	seen := make(map[string]bool)
	for i := range statuses {
		s := &statuses[i]
		q := c.queues[s.Name]
		if q == nil || s.Phase == vrrp.Ended && q.wanted {
			continue
		}
		seen[s.Name] = true
		q.facts = facts{s.Interface, s.Priority, s.Addresses}
		state, reason := stateIn(now, s)
		if state == fault && q.state != master && q.state != backup {
			continue // It has not started yet.
		}
		if state != "" {
			effects = append(effects, q.enter(now, state, reason)...)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.queues)) {
		if q := c.queues[name]; !q.wanted && !seen[name] {
			effects = append(effects, q.end(now)...)
		}
	}
	return effects
}

// end takes that a router has ended, if anything was heard of it.
func (q *queue) end(now time.Time) []Effect {
	if q.state == "" {
		return nil
	}
	return q.enter(now, stop, "stopped")
}

// Ended takes the outcome of a run: why there was none, or how it ended.
func (c *Core) Ended(now time.Time, id uint64, o spawn.Outcome, err error) []Effect {
	var effects []Effect
	for _, q := range c.queues {
		if q.running != nil && q.running.id == id {
			effects = q.ended(now, o, err)
		}
	}
	return append(effects, c.proceed(now)...)
}

// Finish takes that every router has stopped, and that nothing more will be heard.
func (c *Core) Finish(now time.Time) []Effect {
	c.finishing = true
	var effects []Effect
	for _, name := range slices.Sorted(maps.Keys(c.queues)) {
		effects = append(effects, c.queues[name].end(now)...)
	}
	return append(effects, c.proceed(now)...)
}

// proceed begins what can begin, and forgets the routers of which nothing is left.
func (c *Core) proceed(now time.Time) (effects []Effect) {
	for _, name := range slices.Sorted(maps.Keys(c.queues)) {
		q := c.queues[name]
		if s, begins := q.next(now, c.runs+1); begins {
			c.runs++
			effects = append(effects, s)
		}
		if !q.wanted && q.idle() && (q.state == "" || q.state == stop) {
			delete(c.queues, name)
		}
	}
	return effects
}

// Statuses are how the hooks of each router are.
func (c *Core) Statuses() map[string][]api.Hook {
	all := make(map[string][]api.Hook, len(c.queues))
	for name, q := range c.queues {
		for _, e := range q.hooks {
			all[name] = append(all[name], e.status)
		}
	}
	return all
}
