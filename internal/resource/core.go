package resource

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/vrrp"
)

// A Core decides which resources are started and stopped. The zero value is ready for use.
type Core struct {
	routers map[string]standing    // as heard last
	lists   map[config.Owner]*list // of those that have resources, or had some
	runs    uint64                 // that were begun
	// answered is the last question that was answered for each router.
	answered map[string]uint64
}

// Configure takes the routers and resources of a configuration. What is not in it any
// more is stopped.
func (c *Core) Configure(now time.Time, routers []vrrp.Config, resources []config.Resource) []Effect {
	if c.lists == nil {
		c.lists, c.routers, c.answered = make(map[config.Owner]*list), make(map[string]standing), make(map[string]uint64)
	}
	of := make(map[config.Owner][]config.Resource)
	for _, r := range resources {
		of[r.Owner] = append(of[r.Owner], r)
	}
	members := make(map[config.Owner][]string)
	for i := range routers {
		r := &routers[i]
		members[config.Owner{Router: r.Name}] = []string{r.Name}
		if r.SyncGroup != "" {
			o := config.Owner{Group: r.SyncGroup}
			members[o] = append(members[o], r.Name)
		}
	}
	for _, l := range c.lists {
		l.configured = false
		if len(of[l.Owner]) == 0 {
			l.configure(nil)
		}
	}
	for o, all := range of {
		l := c.lists[o]
		if l == nil {
			l = &list{Owner: o}
			c.lists[o] = l
		}
		l.configured, l.routers = true, members[o]
		l.configure(all)
	}
	maps.DeleteFunc(c.routers, func(name string, s standing) bool {
		known := len(members[config.Owner{Router: name}]) > 0 || s.question != 0
		for _, l := range c.lists {
			known = known || slices.Contains(l.routers, name)
		}
		return !known
	})
	return c.proceed(now)
}

// Take takes what the keeper has told: events, the first one first, and then how all
// routers are; nil: nothing is said of that.
func (c *Core) Take(now time.Time, statuses []*vrrp.Status, events []vrrp.Event) []Effect {
	if c.lists == nil {
		return nil
	}
	all := len(c.lists) > 0
	if !all { // There is nothing to start or to stop: a question is all that counts.
		clear(c.routers)
		events = nil
	}
	for _, e := range events {
		c.routers[e.Router] = c.routers[e.Router].hear(e)
	}
	for _, s := range statuses {
		if all || s.Question.Number != 0 {
			c.routers[s.Name] = c.routers[s.Name].follow(now, s)
		}
	}
	return c.proceed(now)
}

// Ended takes what came of a run.
func (c *Core) Ended(now time.Time, id uint64, r Result) []Effect {
	var effects []Effect
	for _, l := range c.lists {
		if l.does != "" && l.id == id {
			effects = l.ended(now, r)
		}
	}
	return append(effects, c.proceed(now)...)
}

// Expire does what is due.
func (c *Core) Expire(now time.Time) []Effect {
	for _, l := range c.lists {
		l.expire(now)
	}
	return c.proceed(now)
}

// Deadline is when Expire has something to do; zero: nothing is scheduled.
func (c *Core) Deadline() (first time.Time) {
	for _, l := range c.lists {
		if at := l.retryAt; !at.IsZero() && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	return first
}

// Retry lets what could not be started be started again, and returns what that was.
func (c *Core) Retry(now time.Time) (barred []string, effects []Effect) {
	for _, l := range c.sorted() {
		if l.barred != "" {
			barred = append(barred, l.barred)
			l.barred = ""
			for _, i := range l.items {
				i.failure = ""
			}
		}
	}
	return barred, c.proceed(now)
}

// Finish takes that every router has stopped. What is not known to have been started by
// this director stays.
func (c *Core) Finish(now time.Time) []Effect {
	for name, s := range c.routers {
		if s.wish != undecided {
			c.routers[name] = standing{wish: down}
		}
	}
	return c.proceed(now)
}

// Idle reports that nothing is under way.
func (c *Core) Idle() bool {
	for _, l := range c.lists {
		if !l.idle() {
			return false
		}
	}
	return true
}

func (c *Core) sorted() (all []*list) {
	for _, o := range slices.SortedFunc(maps.Keys(c.lists), config.Owner.Compare) {
		all = append(all, c.lists[o])
	}
	return all
}

// proceed begins what can begin, answers what can be answered, and forgets what nothing
// is left of.
func (c *Core) proceed(now time.Time) (effects []Effect) {
	for _, l := range c.sorted() {
		var all []standing
		for _, name := range l.routers {
			all = append(all, c.routers[name])
		}
		l.want(jointly(all))
		more, begun := l.begin(c.runs + 1)
		if begun {
			c.runs++
		}
		effects = append(effects, more...)
		if all, _ := l.stopped(); !l.configured && all && len(l.retired) == 0 {
			delete(c.lists, l.Owner)
		}
	}
	return append(effects, c.answers()...)
}

// answers answers the questions of routers all of whose resources have stopped, and those
// of the groups that they ask for.
func (c *Core) answers() (effects []Effect) {
	for _, router := range slices.Sorted(maps.Keys(c.routers)) {
		q := c.routers[router].question
		if q == 0 || c.answered[router] == q {
			continue
		}
		all, ok, stuck := true, true, []string(nil)
		for _, l := range c.sorted() {
			if l.standing.question != q {
				continue
			}
			stops, clean := l.stopped()
			all, ok = all && stops, ok && clean
			stuck = append(stuck, l.stuck()...)
		}
		if !all {
			continue
		}
		for other, s := range c.routers {
			if s.question == q { // Its group takes the same answer.
				c.answered[other] = q
			}
		}
		effects = append(effects, Answer{vrrp.Answer{Router: router, Number: q, OK: ok, Text: strings.Join(stuck, "; ")}})
	}
	return effects
}

// Barred are why virtual routers and sync groups must not be Master, by the names of their
// conditions (config.Owner.ResourceCondition).
func (c *Core) Barred() map[string]string {
	all := make(map[string]string)
	for o, l := range c.lists {
		if l.barred != "" {
			all[o.ResourceCondition()] = l.barred
		}
	}
	return all
}

// Statuses are how the resources of each router and of each sync group are.
func (c *Core) Statuses() (routers, groups map[string][]api.Resource) {
	routers, groups = make(map[string][]api.Resource), make(map[string][]api.Resource)
	for o, l := range c.lists {
		if o.Group != "" {
			groups[o.Group] = l.statuses()
		} else {
			routers[o.Router] = l.statuses()
		}
	}
	return routers, groups
}
