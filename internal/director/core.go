package director

import (
	"log/slog"
	"net/netip"
	"slices"
	"time"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/event"
	"github.com/lvsd/lvsd/internal/machine"
	"github.com/lvsd/lvsd/ipvsctl"
	"github.com/lvsd/lvsd/vrrp"
)

// A Core decides everything that a director does, and does nothing itself. It
// is told what happened by Handle, and how late it is by Expire; both return
// what is to be done, in its order. It starts no goroutine, waits for nothing
// and reads no clock.
type Core struct {
	config *config.Config
	// diagnostics are the warnings about it, one line each.
	diagnostics []string
	// atStart is the director block that the daemon was started with.
	atStart config.Director
	started time.Time

	healths   Healths
	routers   []vrrp.Status
	adverts   tallies
	machine   surroundings
	reload    reloader
	readiness readiness
	pulse     pulse

	// planned is the last plan, and outages are the services that have lost their
	// last server by it or an earlier one, and not got one since.
	planned Planned
	outages map[ipvsctl.ServiceKey]bool
	// outdated: something that the plan depends on has changed.
	outdated bool
	// opened: there is an IPVS table, and kernel is how it was seen since the
	// newest one was set.
	opened   bool
	kernel   TableSeen
	stopping bool

	effects []Effect
}

// Begin returns the core of a director that starts with a valid configuration,
// and what is to be done first.
func Begin(now time.Time, path string, first Loaded, facts machine.Facts) (*Core, []Effect) {
	c := &Core{
		atStart: first.Config.Director, started: now,
		adverts:   tallies{{at: now}},
		readiness: newReadiness(now, first.Config.Director.StartDelay),
		reload:    reloader{Reload: api.Reload{Path: path, Digest: first.Config.Digest, Applied: now, Last: now, OK: true, Succeeded: 1}},
		pulse:     pulse{next: now.Add(tick)},
		opened:    first.Found != nil,
	}
	c.configure(now, first)
	c.see(now, facts)
	return c, c.act(now)
}

// Handle takes what happened, and then does what is due by now as Expire does.
func (c *Core) Handle(now time.Time, in Input) []Effect {
	switch in := in.(type) {
	case Probed:
		c.observe(now, in)
	case RoutersSeen:
		c.hear(in)
	case MachineSeen:
		c.look(now, in)
	case TableSeen:
		c.kernel = in
	case Reload:
		c.ask(now)
	case ReadingEnded:
		c.read(now, in)
	case Stop:
		c.stop(now)
	case HandedOver:
		if in.Err != nil {
			c.tell(now, event.Error, "hand-over-failed", "", "handing over failed", slog.Any("error", in.Err))
		}
	}
	return c.Expire(now)
}

// Deadline returns when Expire must be called at the latest. It always lies
// ahead of the last call of Handle and Expire.
func (c *Core) Deadline() time.Time {
	next := earliest(c.pulse.next, c.planned.Until)
	next = earliest(next, c.readiness.deadline())
	return earliest(next, c.reload.deadline())
}

// Expire does what is due by now.
func (c *Core) Expire(now time.Time) []Effect {
	if due(c.pulse.next, now) {
		c.beat(now)
	}
	if !c.reload.began.IsZero() && due(c.reload.began.Add(loadPatience), now) {
		c.giveUp(now)
	}
	return c.act(now)
}

// act does what follows from all that has been taken, and hands out the effects.
func (c *Core) act(now time.Time) []Effect {
	over := due(c.readiness.deadline(), now)
	if over || c.converged() || c.kernel.Refused {
		c.beginProbes(now)
	}
	if c.outdated || due(c.planned.Until, now) {
		c.plan(now)
	}
	if c.reload.loaded(now, c.converged()) {
		c.reloaded()
	}
	switch {
	case over:
		c.becomeReady(now, "the start delay is over")
	case c.converged() && c.healths.Unheard() == 0:
		c.becomeReady(now, "the table is loaded, and every check has had a result")
	}
	effects := c.effects
	c.effects = nil
	return effects
}

// converged reports whether the kernel has the table that was set last.
func (c *Core) converged() bool { return !c.opened || c.kernel.Converged }

// do adds an effect.
func (c *Core) do(e Effect) { c.effects = append(c.effects, e) }

// tell reports an event.
func (c *Core) tell(now time.Time, s slog.Level, code, subject, text string, attributes ...slog.Attr) {
	c.do(Tell{event.Event{At: now, Severity: s, Code: code, Subject: subject, Text: text, Attributes: attributes}})
}

// plan makes the table what it should be now.
func (c *Core) plan(now time.Time) {
	masters := make(map[string]bool, len(c.routers))
	for i := range c.routers {
		masters[c.routers[i].Name] = c.routers[i].State == vrrp.Master
	}
	c.outdated = false
	c.planned = Plan(now, c.config, World{
		State:        c.healths.State,
		Master:       func(router string) bool { return masters[router] },
		Own:          func(a netip.Addr) bool { return c.machine.own[a] },
		AwaitedUntil: c.readiness.awaited,
	})
	c.tellOutages(now)
	if c.opened {
		c.kernel = TableSeen{}
		c.do(SetTable{Table: c.planned.Table, Exclusive: c.atStart.ExclusiveTable})
	}
}

// beginProbes sets the first targets. The table comes before them: thousands
// of first probes at once would take the processor from the one who loads it
// (measured, 10,000 servers on one processor: 7.5 s to the full table, not 3).
func (c *Core) beginProbes(now time.Time) {
	if !c.readiness.probing {
		c.probe(now)
	}
}

// probe sets the targets, and awaits the first results of those that are new.
func (c *Core) probe(now time.Time) {
	c.readiness.probe(now)
	c.do(SetTargets(Targets(c.config)))
}

// becomeReady lets the virtual routers leave Initialize.
func (c *Core) becomeReady(now time.Time, why string) {
	if c.readiness.ready {
		return
	}
	c.readiness.ready = true
	if c.stopping {
		return // The service manager would take READY as the end of the stop.
	}
	c.tellKeeper()
	c.tell(now, event.Info, "ready", "", "ready", slog.String("because", why), slog.Int("services", len(c.config.Services)),
		slog.Int("routers", len(c.config.Routers)), slog.Int("targets_without_result", c.healths.Unheard()))
	c.do(Notify("READY"))
}

// tellKeeper makes the keeper run the configured virtual routers.
func (c *Core) tellKeeper() {
	if !c.stopping {
		c.do(TellKeeper{Routers: c.config.Routers, Conditions: c.conditions()})
	}
}

// conditions are what this director watches for its virtual routers, each in one
// line.
func (c *Core) conditions() []vrrp.Condition {
	return []vrrp.Condition{
		c.readiness.condition(),
	}
}

// observe takes the results of probes.
func (c *Core) observe(now time.Time, results Probed) {
	for _, o := range results {
		for _, change := range c.healths.Observe(now, o.Target, o.Result) {
			c.outdated = true
			c.tellChange(now, change)
		}
	}
}

// tellChange reports that a real server is up or down.
func (c *Core) tellChange(now time.Time, change Change) {
	subject := change.Service + "/" + change.Server
	attributes := []slog.Attr{slog.String("service", change.Service), slog.String("server", change.Server), slog.String("address", change.Address.String())}
	switch change.State {
	case checker.Up:
		c.tell(now, event.Info, "server-up", subject, "real server is up", attributes...)
	case checker.Down:
		c.tell(now, event.Warning, "server-down", subject, "real server is down", append(attributes, slog.String("reason", change.Detail))...)
	}
}

// hear takes the routers' newest statuses; the plan depends on their roles
// alone.
func (c *Core) hear(routers []vrrp.Status) {
	c.outdated = c.outdated || !slices.EqualFunc(c.routers, routers, func(a, b vrrp.Status) bool {
		return a.Name == b.Name && a.State == b.State
	})
	c.routers = routers
}

// stop begins the hand-over, during which the table is still kept equal to the
// servers' health, until the peer has the address.
func (c *Core) stop(now time.Time) {
	if c.stopping {
		return
	}
	c.stopping = true
	c.reload.abandon() // The stop cancels it, and what it says would come too late.
	c.do(Notify("STOPPING"))
	text := "stopping"
	if slices.ContainsFunc(c.routers, func(s vrrp.Status) bool { return s.State == vrrp.Master }) {
		text = "stopping: handing over"
	}
	c.tell(now, event.Info, "stopping", "", text)
	limit := 10 * time.Second
	for i := range c.config.Routers {
		limit = max(limit, 10*time.Second+4*c.config.Routers[i].Interval)
	}
	c.do(HandOver{Limit: limit})
}

// due reports whether a moment has come; zero never does.
func due(at, now time.Time) bool { return !at.IsZero() && !now.Before(at) }

// configure makes a configuration the one that runs.
func (c *Core) configure(now time.Time, l Loaded) {
	c.config, c.diagnostics = l.Config, l.Warnings
	c.healths.Configure(now, l.Config.Services, l.Found)
	c.outdated = true
	if c.readiness.probing {
		c.probe(now)
	}
	c.tellKeeper()
}
