package hook

import (
	"time"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
)

// Hear takes the states that virtual services and their servers are in.
func (c *Core) Hear(now time.Time, states []api.ServiceState) (effects []Effect) {
	if c.finishing {
		return nil
	}
	for _, st := range states {
		effects = append(effects, c.services.hear(now, st)...)
	}
	return append(effects, c.proceed(now)...)
}

// Statuses are how the hooks of each owner are.
func (c *Core) Statuses() map[config.Owner][]api.Hook {
	all := make(map[config.Owner][]api.Hook)
	add := func(q *queue) {
		for _, e := range q.hooks {
			all[q.Owner] = append(all[q.Owner], e.status)
		}
	}
	for _, q := range c.queues {
		add(q)
	}
	for _, s := range c.services {
		add(&s.queue)
	}
	return all
}
