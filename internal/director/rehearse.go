package director

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/ipvsctl"
)

// A rehearsal is what a core would do with another configuration.
type rehearsal struct {
	before, after *config.Config
	differences   []api.Difference
	// Opened: there is an IPVS table then. First is what it should be at once, and later
	// when the checks of real servers without a result have passed.
	opened       bool
	first, later ipvsctl.Desired
	// why has for each of them why real servers have other weights than the configured
	// ones.
	why, whyLater map[place]string
}

// rehearse returns what the core would do if it took a configuration now. It is the same
// core that will take it, but for its memory: a copy is told of the configuration, and
// what it wants done is only looked at.
func (c *Core) rehearse(now time.Time, l Loaded) rehearsal {
	r := rehearsal{before: c.config, after: l.Config, differences: append(differ(c.config, l.Config, c.masters()), ruleDifferences(c.config, l.Config)...)}
	then := c.copy(now)
	then.opened = then.opened || l.Found != nil
	then.accept(now, l)
	r.take(then.act(now))
	r.takeTable(then.remarked(now), &r.first)
	r.opened, r.why = then.opened, then.reasons(now, r.first.Table)
	r.later = r.first
	var passed Probed
	for rest := then.healths.waiters; len(rest) > 0; {
		t := *then.healths.target(rest[0])
		if !rest[0].heard && !rest[0].asleep {
			passed = append(passed, Observation{t, checker.Result{At: now, Outcome: checker.Passed}})
		}
		rest = rest[len(then.healths.waiting(t)):]
	}
	then.observe(now, passed)
	then.outdated = true
	r.takeTable(then.act(now), &r.later)
	r.takeTable(then.remarked(now), &r.later)
	r.whyLater = then.reasons(now, r.later.Table)
	return r
}

// remarked returns what the core wants done when packets have their new marks, where they are
// given them without further results of checks.
func (c *Core) remarked(now time.Time) []Effect {
	if c.remarking.underWay() && !c.succeeding() {
		c.remarking = remarking{}
		c.setTable()
	}
	return c.act(now)
}

// take notes what the core wants done at once.
func (r *rehearsal) take(effects []Effect) {
	r.takeTable(effects, &r.first)
	for _, e := range effects {
		tune, _ := e.(Tune)
		for _, s := range slices.Sorted(maps.Keys(tune.Values)) {
			r.differences = append(r.differences, api.Difference{Action: api.Change, Kind: "setting", Name: string(s), What: []string{tune.Values[s]}, Now: true})
		}
	}
}

// takeTable notes the last table that the core wants.
func (r *rehearsal) takeTable(effects []Effect, to *ipvsctl.Desired) {
	for _, e := range effects {
		if t, ok := e.(SetTable); ok {
			*to = ipvsctl.Desired(t)
		}
	}
}

// copy returns a core that may be told of anything until now, and then thrown away: what
// either of them changes in its place is the other's no more. A configuration makes most
// of the state anew, so little is to be copied.
func (c *Core) copy(now time.Time) *Core {
	then := *c
	then.effects, then.bustle = nil, bustle{}
	then.nextBeat = now.Add(tick)
	then.reload.askers, then.reload.next = nil, nil
	then.healths.waiters = slices.Clone(c.healths.waiters)
	then.orders.held = maps.Clone(c.orders.held)
	then.kept.since, then.kept.resumed = maps.Clone(c.kept.since), maps.Clone(c.kept.resumed)
	then.panics = maps.Clone(c.panics)
	then.draining = c.draining.copy()
	then.suspects = maps.Clone(c.suspects)
	for key, s := range then.suspects {
		s.servers = maps.Clone(s.servers)
		then.suspects[key] = s
	}
	return &then
}

// reasons are why real servers have not the configured weights in a table.
func (c *Core) reasons(now time.Time, t ipvsctl.Table) map[place]string {
	all := make(map[place]string)
	for i := range c.config.Services {
		s := &c.config.Services[i]
		rows, as := t[s.Key].Destinations, translationOf(s)
		for j := range s.Servers {
			row, listed := rows.Get(s.Servers[j].Key)
			if listed && row.Weight == s.Servers[j].Destination.Weight {
				continue
			}
			srv := api.Server{}
			c.healths.describe(i, j, &srv)
			w := weigh(now, &s.Servers[j], s.PolicyOf(j), c.standing(i, j), c.holds(i))
			reason := reasonFor(c.planned.Verdicts[i], &s.Servers[j], w, &srv)
			for _, key := range s.Keys() {
				all[place{key, as.to(key, s.Servers[j].Key)}] = reason
			}
		}
	}
	for key, gone := range c.draining {
		for d := range gone.servers {
			all[place{key, d}] = "keeps the connections that it has"
		}
	}
	return all
}

// reasonFor is why a real server has not its configured weight.
func reasonFor(v Verdict, s *config.Server, w Weight, seen *api.Server) string {
	switch {
	case w.By != "":
		return string(w.By)
	case v.Supply == api.Withheld:
		return "this director is not Master, and forwards to itself"
	case seen.Health == api.Down:
		return "down" + failure(seen)
	case seen.Health == api.Unknown && w.Listed:
		return "found with weight 0"
	case seen.Health == api.Unknown:
		return "no result yet"
	case v.late() || s.Fallback():
		return "servers of another tier serve"
	case v.Below:
		return fmt.Sprintf("fewer servers take connections than %s", TooFew)
	}
	return ""
}

// failure is what the first check found that has failed.
func failure(s *api.Server) string {
	for i := range s.Checks {
		if c := &s.Checks[i]; !c.Up && c.Last.Outcome == api.Failed {
			return ": " + strings.TrimSpace(c.Kind+": "+c.Last.Detail)
		}
	}
	return ""
}
