package hook

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/spawn"
	"github.com/lvsd/lvsd/vrrp"
)

// A Core decides which hooks run. The zero value is ready for use.
type Core struct {
	// routers are followed where somebody is told of one. latest is how all are, as heard
	// last.
	routers map[string]*router
	latest  []*vrrp.Status
	queues  map[config.Owner]*queue // of those that have hooks, or had some
	runs    uint64                  // that were begun
	fences  map[config.Owner]*fence
	urgent  map[uint64]*fence // by the program that runs
	streams streams
	// services are the virtual services that have hooks.
	services services
	// finishing: every router has stopped, whatever is still heard of one.
	finishing bool
	order     *order // to run hooks again, which is under way; nil: none is
}

// A router is what is known of a virtual router.
type router struct {
	wanted bool   // it is configured
	group  string // its sync group; empty: none
	state  string // as heard last; empty: nothing yet
	facts  facts
}

// Follow takes the streams of a configuration, before Configure takes the rest.
func (c *Core) Follow(all []config.Stream) { c.streams.set(all) }

// Configure takes the routers and hooks of a configuration. The hooks of a router that
// is gone are kept until they have been told of its end.
func (c *Core) Configure(now time.Time, routers []vrrp.Config, hooks []config.Hook) []Effect {
	of := make(map[config.Owner][]config.Hook)
	for _, h := range hooks {
		of[h.Owner] = append(of[h.Owner], h)
	}
	if len(c.queues)+len(c.streams.all) == 0 && !slices.ContainsFunc(hooks, func(h config.Hook) bool { return h.Service == "" }) {
		routers = nil // Nobody is told of them, and a thousand would be compared with each report.
	}
	effects := c.dissolve(now, routers)
	owners := c.adopt(now, routers)
	for _, q := range c.queues {
		q.wanted = false
	}
	for _, o := range owners {
		q := c.queues[o]
		if q == nil {
			if len(of[o]) == 0 && !c.streams.covers(o, c.group(o)) {
				continue
			}
			q = &queue{Owner: o, state: c.state(o)}
			c.queues[o] = q
		}
		q.wanted, q.dissolved = true, nil
		effects = append(effects, c.enter(now, now, q, c.state(o), "the configuration has changed")...)
		q.welcome(q.configure(of[o]))
	}
	c.services.set(of)
	return append(effects, c.proceed(now)...)
}

// dissolve tells the hooks of the sync groups that are no longer configured, though some
// of their routers are, that the group has stopped. Where all routers go as well, that
// is told when they have stopped.
func (c *Core) dissolve(now time.Time, routers []vrrp.Config) (effects []Effect) {
	stay, groups := make(map[string]bool), make(map[string]bool)
	for i := range routers {
		stay[routers[i].Name], groups[routers[i].SyncGroup] = true, true
	}
	for _, o := range slices.SortedFunc(maps.Keys(c.queues), config.Owner.Compare) {
		q := c.queues[o]
		if o.Group == "" || groups[o.Group] || q.dissolved != nil {
			continue
		}
		was := c.facts(o)
		if !slices.ContainsFunc(was.routers, func(name string) bool { return stay[name] }) {
			continue
		}
		q.dissolved = &was
		if q.state == "" {
			q.pending = nil
			continue
		}
		effects = append(effects, c.enter(now, now, q, stop, "the sync group is no longer configured")...)
	}
	return effects
}

// adopt takes the routers that are configured, and returns what may have hooks.
func (c *Core) adopt(now time.Time, routers []vrrp.Config) (owners []config.Owner) {
	if c.queues == nil {
		c.queues, c.routers, c.fences = make(map[config.Owner]*queue), make(map[string]*router), make(map[config.Owner]*fence)
		c.urgent, c.services = make(map[uint64]*fence), make(services)
	}
	fresh := make(map[string]bool)
	for _, r := range c.routers {
		r.wanted = false
	}
	for i := range routers {
		name := routers[i].Name
		if c.routers[name] == nil {
			c.routers[name] = &router{facts: configured(&routers[i])}
			fresh[name] = true
		}
		r := c.routers[name]
		r.wanted, r.group = true, routers[i].SyncGroup
		owners = append(owners, config.Owner{Router: name})
		if group := (config.Owner{Group: r.group}); r.group != "" && !slices.Contains(owners, group) {
			owners = append(owners, group)
		}
	}
	for _, s := range c.latest {
		if r := c.routers[s.Name]; fresh[s.Name] && s.Phase != vrrp.Ended {
			r.facts = factsOf(s)
			r.state, _ = stateIn(now, s, false)
		}
	}
	return owners
}

// Take takes what the keeper has told: events, the first one first, and then how all
// routers are; nil: nothing is said of that.
func (c *Core) Take(now time.Time, statuses []*vrrp.Status, events []vrrp.Event) []Effect {
	if statuses != nil {
		c.latest = statuses
	}
	if c.finishing || len(c.routers) == 0 {
		return nil
	}
	var effects []Effect
	for _, e := range events {
		at := e.At
		if at.IsZero() {
			at = now
		}
		if state := stateAfter(e); state != "" {
			effects = append(effects, c.hear(now, at, e.Router, state, e.Text)...)
		}
		if e.Code == vrrp.PriorityChanged && e.Priority != 0 {
			c.weigh(at, e.Router, e.Priority, e.Text)
		}
	}
	if statuses != nil {
		effects = append(effects, c.compare(now, statuses)...)
	}
	return append(effects, c.proceed(now)...)
}

// hear takes the state that a router is in, since a moment.
func (c *Core) hear(now, at time.Time, name, state, reason string) (effects []Effect) {
	r := c.routers[name]
	if r == nil || r.state == state {
		return nil
	}
	r.state = state
	for _, o := range []config.Owner{{Router: name}, {Group: r.group}} {
		if q := c.queues[o]; q != nil && q.dissolved == nil {
			effects = append(effects, c.enter(now, at, q, c.state(o), reason)...)
		}
	}
	return effects
}

// enter has the hooks and the streams know that an owner has come into a state.
func (c *Core) enter(now, at time.Time, q *queue, state, reason string) []Effect {
	was := q.state
	effects := q.enter(now, state, reason)
	if q.state != was {
		priority := c.facts(q.Owner).priority
		c.streams.news = append(c.streams.news, news{q.Owner, change{from: was, to: q.state, reason: reason}, at, priority, priority})
	}
	return effects
}

// weigh takes the effective priority of a router, since a moment.
func (c *Core) weigh(at time.Time, name string, priority uint8, reason string) {
	r := c.routers[name]
	if r == nil || r.facts.priority == priority {
		return
	}
	owners := []config.Owner{{Router: name}}
	if r.group != "" {
		owners = append(owners, config.Owner{Group: r.group})
	}
	var before []uint8
	for _, o := range owners {
		before = append(before, c.facts(o).priority)
	}
	r.facts.priority = priority
	for i, o := range owners {
		q, after := c.queues[o], c.facts(o).priority
		if q != nil && q.dissolved == nil && q.state != "" && before[i] != after {
			c.streams.news = append(c.streams.news, news{o, change{from: q.state, to: q.state, reason: reason}, at, before[i], after})
		}
	}
}

// group is the sync group that an owner moves with, or itself; empty: there is none.
func (c *Core) group(o config.Owner) string {
	if r := c.routers[o.Router]; r != nil {
		return r.group
	}
	return o.Group
}

// about is what the streams are told of an owner.
func (c *Core) about(o config.Owner) *api.StreamState {
	f := c.facts(o)
	s := &api.StreamState{Kind: api.KindRouter, Name: o.Name(), SyncGroup: f.group, Routers: append([]string{}, f.routers...),
		Priority: f.priority, FormerPriority: f.priority, Interfaces: append([]string{}, f.interfaces...), Addresses: append([]string{}, f.addresses...)}
	if o.Group != "" {
		s.Kind = api.KindSyncGroup
	}
	return s
}

// members are the routers that an owner has.
func (c *Core) members(o config.Owner) (all []*router) {
	if o.Group == "" {
		return []*router{c.routers[o.Router]}
	}
	for _, name := range slices.Sorted(maps.Keys(c.routers)) {
		if r := c.routers[name]; r.group == o.Group {
			all = append(all, r)
		}
	}
	return all
}

// state is the one that an owner is in; empty: that is not certain.
func (c *Core) state(o config.Owner) string {
	var states []string
	for _, r := range c.members(o) {
		states = append(states, r.state)
	}
	return jointly(states)
}

// facts are those of an owner's routers.
func (c *Core) facts(o config.Owner) (all facts) {
	if q := c.queues[o]; q != nil && q.dissolved != nil {
		return *q.dissolved
	}
	for _, r := range c.members(o) {
		all = all.and(r.facts)
		all.group = r.group
	}
	return all
}

// compare takes how all routers are, which is what counts: an event may have found no
// room. Of a router that has ended there may be a successor of the same name.
func (c *Core) compare(now time.Time, statuses []*vrrp.Status) (effects []Effect) {
	seen := make(map[string]bool)
	for i := range statuses {
		s := statuses[i]
		r := c.routers[s.Name]
		if r == nil || s.Phase == vrrp.Ended && r.wanted {
			continue
		}
		seen[s.Name] = true
		why := ""
		if s.Priority == s.Configured {
			why = "as configured"
		}
		c.weigh(now, s.Name, s.Priority, why)
		r.facts = factsOf(s)
		effects = append(effects, c.ask(now, s.Name, s.Question)...)
		if state, reason := stateIn(now, s, r.state == master || r.state == backup); state != "" {
			effects = append(effects, c.hear(now, now, s.Name, state, reason)...)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.routers)) {
		if r := c.routers[name]; !r.wanted && !seen[name] && r.state != "" {
			effects = append(effects, c.hear(now, now, name, stop, "stopped")...)
		}
	}
	return effects
}

// Ended takes the outcome of a run: why there was none, or how it ended.
func (c *Core) Ended(now time.Time, id uint64, o spawn.Outcome, err error) []Effect {
	var effects []Effect
	for _, q := range c.queues {
		if q.running != nil && q.running.id == id {
			effects = q.ended(now, o, err)
		}
	}
	for _, s := range c.services {
		if s.running != nil && s.running.id == id {
			effects = s.ended(now, o, err)
		}
	}
	effects = append(effects, c.fenced(now, id, o, err)...)
	effects = append(effects, c.streams.ended(now, id, o, err)...)
	return append(effects, c.proceed(now)...)
}

// ask takes the question that a router has, if it has one. Those of a group have the same.
func (c *Core) ask(now time.Time, name string, q vrrp.Question) []Effect {
	o := config.Owner{Router: name}
	if group := c.routers[name].group; group != "" {
		o = config.Owner{Group: group}
	}
	f := c.fences[o]
	switch {
	case q.Step == vrrp.Enter && (f == nil || f.question.Number < q.Number):
		effects := f.callOff()
		f = &fence{Owner: o, router: name, question: q}
		f.left = c.steps(f)
		c.fences[o] = f
		return append(effects, c.goOn(now, f)...)
	case q.Step != vrrp.Enter && f != nil && f.router == name:
		delete(c.fences, o)
		return f.callOff()
	}
	return nil
}

// steps are all programs that a fence has: its owner's, and in a group those of its routers.
func (c *Core) steps(f *fence) (all []step) {
	owners := []config.Owner{f.Owner}
	for _, name := range slices.Sorted(maps.Keys(c.routers)) {
		if f.Group != "" && c.routers[name].group == f.Group {
			owners = append(owners, config.Owner{Router: name})
		}
	}
	reason := "no adverts from any Master"
	if f.question.Peer.IsValid() {
		reason = fmt.Sprintf("no more adverts from %s", f.question.Peer)
	}
	for _, o := range owners {
		of := c.queues[o]
		if of == nil {
			continue
		}
		for _, e := range of.hooks {
			if e.Before && (f.question.Peer.IsValid() || e.AtStart) {
				f.required = f.required || e.Required
				all = append(all, step{of, run{hook: e, cause: change{from: backup, to: master, reason: reason}}})
			}
		}
	}
	return all
}

// goOn runs the next program, or answers.
func (c *Core) goOn(now time.Time, f *fence) []Effect {
	if len(f.left) > 0 && !f.denied {
		f.running, f.left = &f.left[0], f.left[1:]
		c.runs++
		f.running.id, f.running.began = c.runs, now
		c.urgent[c.runs] = f
		s := f.running.start(c.facts(f.Owner))
		peer := ""
		if f.question.Peer.IsValid() {
			peer = f.question.Peer.String()
		}
		s.Command.Env = append(s.Command.Env, "LVSD_PEER="+peer)
		return []Effect{s}
	}
	text := strings.Join(f.failed, "; ")
	if text == "" {
		text = "all programs have succeeded"
	}
	ok := len(f.failed) == 0 || f.required && !f.denied
	return []Effect{Reply{Router: f.router, Number: f.question.Number, OK: ok, Text: text}}
}

// fenced takes the outcome of a program that a virtual router waits for.
func (c *Core) fenced(now time.Time, id uint64, o spawn.Outcome, err error) []Effect {
	f := c.urgent[id]
	if f == nil {
		return nil
	}
	delete(c.urgent, id)
	of, r := f.running.of, &f.running.run
	if f.called && err == nil && o.Canceled {
		f.running = nil
		return of.calledOff(now, r)
	}
	effects := of.record(now, r, o, err)
	if s := &r.hook.status; !s.Last.OK {
		f.failed = append(f.failed, fmt.Sprintf("%s %s", s.Program, s.Last.Result))
		f.denied = f.denied || r.hook.Required
	}
	if f.running = nil; f.called {
		return effects
	}
	return append(effects, c.goOn(now, f)...)
}

// Finish takes that every router has stopped, and that nothing more will be heard.
func (c *Core) Finish(now time.Time) []Effect {
	c.finishing = true
	c.streams.set(nil)
	var effects []Effect
	for _, name := range slices.Sorted(maps.Keys(c.routers)) {
		if c.routers[name].state != "" {
			effects = append(effects, c.hear(now, now, name, stop, "stopped")...)
		}
	}
	effects = append(effects, c.services.finish(now)...)
	return append(effects, c.proceed(now)...)
}

// proceed begins what can begin, and forgets what nothing is left of.
func (c *Core) proceed(now time.Time) []Effect {
	effects := c.streams.flush(now, c.about)
	for _, o := range slices.SortedFunc(maps.Keys(c.queues), config.Owner.Compare) {
		q := c.queues[o]
		q.repeat(now)
		if !q.idle() && q.running == nil {
			c.runs++
			effects = append(effects, q.next(now, c.runs, c.facts(o)))
		}
		if !q.wanted && q.idle() && (q.state == "" || q.state == stop) {
			delete(c.queues, o)
		}
	}
	maps.DeleteFunc(c.routers, func(name string, r *router) bool {
		return !r.wanted && (r.state == "" || r.state == stop) && c.queues[config.Owner{Router: name}] == nil && c.queues[config.Owner{Group: r.group}] == nil
	})
	next := func() uint64 { c.runs++; return c.runs }
	effects = append(effects, c.services.proceed(now, next)...)
	effects = append(effects, c.streams.settle(now, next)...)
	return append(effects, c.conclude(now)...)
}

// conclude answers an order to run hooks again.
func (c *Core) conclude(now time.Time) []Effect {
	if c.order == nil {
		return nil
	}
	effects := c.order.conclude(now, func(a *api.Asserted) bool {
		return slices.ContainsFunc(slices.Collect(maps.Values(c.queues)), func(q *queue) bool { return q.has(a) })
	})
	if effects != nil {
		c.order = nil
	}
	return effects
}

// Deadline returns when Expire must be called at the latest; zero: nothing is scheduled.
func (c *Core) Deadline() time.Time {
	next := c.streams.deadline()
	if c.order != nil {
		next = earliest(next, c.order.until)
	}
	for _, q := range c.queues {
		next = earliest(next, q.deadline())
	}
	return next
}

// Expire does what is due by now.
func (c *Core) Expire(now time.Time) []Effect { return c.proceed(now) }
