package director

import (
	"log/slog"
	"maps"
	"net/netip"
	"reflect"
	"slices"
	"time"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/event"
	"github.com/lvsd/lvsd/ipvsctl"
	"github.com/lvsd/lvsd/vrrp"
)

// A start has an order: the table, then the first result of every target, then
// the virtual routers; and none of that takes longer than the start delay.

// configure makes a configuration the one that runs.
func (c *Core) configure(now time.Time, l Loaded) {
	c.setRules(now, l.Config)
	if c.config != nil {
		c.replies = c.replies.of(c.config.Services, l.Config.Services)
		c.leaving = leaving(c.config, l.Config, c.planned.Table, c.leaving)
		c.draining = c.draining.of(now, c.config, l.Config, c.planned.Table, func(a netip.Addr) bool { return c.own[a] })
		if !reflect.DeepEqual(c.config.Director, l.Config.Director) {
			c.do(Configure(l.Config.Director))
		}
	}
	c.startEnd = c.started.Add(l.Config.Director.StartDelay)
	if !c.probing {
		c.awaited = c.startEnd
	}
	c.config, c.diagnostics = l.Config, l.Warnings
	c.orders.forget(l.Config.Routers)
	if c.kept.take(l.keptOut); c.kept.forget(l.Config.Services) {
		c.saveKeptOut()
	}
	c.tellWarnings(now, l.Warnings)
	c.healths.Configure(now, l.Config.Services, l.Found)
	c.loads, c.outdated = c.loads.of(l.Config.Services), true
	c.watch.configure(l.Config)
	c.lulls = c.lulls.of(now, l.Config.Services)
	c.suspects = c.suspects.of(l.Config.Services)
	if c.fallAsleep() || c.asleep != nil {
		c.healths.Suspend(c.sleeps)
	}
	c.several = several(l.Config.Services)
	c.private = privateServices(l.Config.Services)
	c.unpaved = len(c.private) > 0
	c.changed = c.changed || c.unpaved // The ways to these servers are to be seen.
	c.judge(now)
	if c.probing {
		c.probe(now)
	}
	if len(l.Files) > 0 {
		c.do(SaveConfiguration{now, l.Config.Digest, l.Files})
	}
	c.do(SetHooks{l.Config.Routers, l.Config.AllHooks(), l.Config.Streams})
	c.do(SetResources{l.Config.Routers, l.Config.Resources})
	c.tellKeeper()
}

// setRules sets the rules of a configuration that is to run, after the services that they
// lead to if it is a reload that changes them. Before a start is over, nobody is served.
func (c *Core) setRules(now time.Time, is *config.Config) {
	rules := Rules(is)
	switch {
	case !c.ready:
		c.do(SetRules(rules))
	case !rules.Equal(Rules(c.config)):
		c.remarking = remarking{until: now.Add(max(tablePatience, is.Director.StartDelay)), rules: rules, before: c.table()}
	}
}

// succeeding reports whether it is not decided yet who serves in the place of a service that
// was another one to the kernel.
func (c *Core) succeeding() bool {
	for key, l := range c.leaving {
		if key != l.Key {
			return true
		}
	}
	return false
}

// remark goes on with a remarking, where the kernel has done a step or takes too long for it.
func (c *Core) remark(now time.Time) {
	r := &c.remarking
	late := due(r.until, now)
	switch {
	case !r.underWay():
	case !r.marks && (late || !c.succeeding() && (c.written() || c.kernel.Refused)):
		r.marks, r.until = true, now.Add(rulesPatience)
		c.kernel.Unruled = true
		c.do(SetRules(r.rules))
	case r.marks && !r.marked && !c.kernel.Unruled:
		r.marked, r.until = true, now.Add(packetPatience)
	case r.marks && late:
		c.remarking = remarking{}
		c.setTable()
	}
}

// maxWarnings bounds the warnings of one configuration that are logged.
const maxWarnings = 20

// tellWarnings tells the warnings about a configuration.
func (c *Core) tellWarnings(now time.Time, warnings []string) {
	for i, w := range warnings {
		if i == maxWarnings {
			c.tell(now, event.Warning, "configuration-warning", "", "configuration: more warnings are not logged; run lvsd validate",
				slog.Int("warnings", len(warnings)-i))
			return
		}
		c.tell(now, event.Warning, "configuration-warning", "", "configuration", slog.String("warning", w))
	}
}

// probe sets the targets, and awaits the first results of those that are new.
func (c *Core) probe(now time.Time) {
	c.probing, c.awaited = true, now.Add(c.config.Director.StartDelay)
	c.setTargets(now)
}

// setTargets sets the targets that are to be probed now.
func (c *Core) setTargets(now time.Time) {
	c.asked = now
	c.do(SetTargets(Targets(c.config, c.asleep)))
	c.setIdle()
}

// suspend makes the checks run that are to run in the roles of now (ha_suspend). What was
// found by others is kept, and counts until they have found something else.
func (c *Core) suspend(now time.Time) {
	if c.asleep != nil && c.fallAsleep() {
		c.healths.Suspend(c.sleeps)
		if c.probing {
			c.setTargets(now)
		}
	}
}

// fallAsleep judges of which services the checks do not run, and reports whether that has
// changed. Of one that is awake, each check must have had a result: a director that becomes
// Master must not find out only then what to put into its table.
func (c *Core) fallAsleep() (changed bool) {
	was := c.asleep
	c.asleep = nil
	holder := config.Holders(c.config.Routers)
	master := c.masters()
	for i := range c.config.Services {
		s := &c.config.Services[i]
		if !s.Policed().HASuspend {
			continue
		}
		if c.asleep == nil {
			c.asleep = make(map[ipvsctl.ServiceKey]bool)
		}
		c.asleep[s.Key] = !mayForward(s, c.config.Routers, holder, master) && c.healths.decided(i)
	}
	return !maps.Equal(was, c.asleep)
}

// sleeps reports whether the checks of a service do not run now.
func (c *Core) sleeps(service int) bool { return c.asleep[c.config.Services[service].Key] }

// setIdle tells the checker which targets only idle services have.
func (c *Core) setIdle() {
	if !c.probing || len(c.lulls) == 0 {
		return
	}
	busy := make(map[checker.Target]bool)
	for w, check := range eachCheck(c.config.Services) {
		if check.Target.Pace.Idle > 0 && !c.lulls[c.config.Services[w.service].Key].idle {
			busy[check.Target] = true
		}
	}
	idle := SetIdle{}
	for _, check := range eachCheck(c.config.Services) {
		if check.Target.Pace.Idle > 0 && !busy[check.Target] {
			idle = append(idle, &check.Target)
		}
	}
	c.do(idle)
}

// becomeReady lets the virtual routers leave Initialize.
func (c *Core) becomeReady(now time.Time, why string) {
	c.ready = true
	if c.stopping {
		return // The service manager would take READY as the end of the stop.
	}
	c.tellKeeper()
	c.tell(now, event.Info, "ready", "", "ready", slog.String("because", why), slog.Int("services", len(c.config.Services)),
		slog.Int("routers", len(c.config.Routers)), slog.Int("targets_without_result", c.unheard()))
	c.do(Notify("READY"))
}

// tellKeeper makes the keeper run the configured virtual routers.
func (c *Core) tellKeeper() {
	if !c.stopping {
		c.do(TellKeeper{Routers: c.notPreempting(c.orders.heldBack(c.config.Routers)), Offers: c.orders.offers(), Conditions: c.conditions(), Static: c.config.Static})
	}
}

// resourceConditions are that all resources of each virtual router and sync group could
// be started.
func (c *Core) resourceConditions() (all []vrrp.Condition) {
	for _, r := range c.config.Resources {
		name := r.ResourceCondition()
		if slices.ContainsFunc(all, func(v vrrp.Condition) bool { return v.Name == name }) {
			continue
		}
		why := c.barred[name]
		all = append(all, vrrp.Condition{Name: name, OK: why == "", Reason: why, Tracked: true})
	}
	return all
}

// conditions are what this director watches for its virtual routers, each in one
// line.
func (c *Core) conditions() []vrrp.Condition {
	all := []vrrp.Condition{
		{Name: config.TableCondition, OK: c.ready, Reason: "waiting for the first IPVS table and the first result of every check"},
	}
	if s := c.orders.standby; s != nil {
		all = append(all, vrrp.Condition{Name: operatorCondition, Reason: s.Reason()})
	}
	if c.isolated {
		all = append(all, c.isolationJudged())
	}
	all = append(all, c.resourceConditions()...)
	return append(all, c.watch.judged...)
}

// unheard is how many targets have had no result yet.
func (c *Core) unheard() int { return c.healths.Unheard() + c.watch.unheard() }

// judge judges the conditions that virtual routers track, tells which have changed,
// and reports whether any has. It may be as it should that one is not met (reverse):
// what it means to a router, the router tells.
func (c *Core) judge(now time.Time) (changed bool) {
	c.unjudged = false
	before := c.watch.judged
	was := make(map[string]vrrp.Condition, len(before))
	for _, v := range before {
		was[v.Name] = v
	}
	c.watch.judged = c.watch.judge(&c.healths, c.below)
	for _, v := range c.watch.judged {
		switch failed := fails(was[v.Name]); {
		case fails(v) && !failed:
			c.tell(now, event.Info, "condition-unmet", v.Name, "condition is not met", slog.String("condition", v.Name), slog.String("reason", v.Reason))
		case v.OK && failed:
			c.tell(now, event.Info, "condition-met", v.Name, "condition is met", slog.String("condition", v.Name))
		}
	}
	return !slices.Equal(before, c.watch.judged)
}

// fails reports whether a condition is known not to be met.
func fails(v vrrp.Condition) bool { return v.Name != "" && !v.OK && !v.Unknown }

// learn notes that it has.
func (c *Core) learn(now time.Time) {
	if c.learning && (due(c.learned(), now) || c.config.Director.Sync.Router == "") {
		c.learning = false
		c.tellKeeper()
	}
}

// hearRound takes what was heard of a round.
func (c *Core) hearRound(now time.Time, in RoundHeard) {
	switch {
	case in.Err != nil:
		c.tell(now, event.Warning, "connections-unheard", "", "cannot hear when other directors have told of all connections: two rounds are waited for", slog.Any("error", in.Err))
	case !in.Whole:
		c.begun = true
	case c.learning:
		c.tell(now, event.Info, "connections-learned", "", "other directors have told of all connections")
		c.learning = false
		c.tellKeeper()
	}
}
