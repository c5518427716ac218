package director

import (
	"cmp"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/event"
	"github.com/lvsd/lvsd/internal/machine"
	"github.com/lvsd/lvsd/ipvsctl"
	"github.com/lvsd/lvsd/vrrp"
)

// looks is how many heartbeats pass between two looks at the machine that has not
// changed.
const looks = 10

// Begin returns the core of a director that starts with a valid configuration,
// and what is to be done first.
func Begin(now time.Time, path string, first Loaded, facts machine.Facts) (*Core, []Effect) {
	c := &Core{
		started: now, nextBeat: now.Add(tick),
		adverts: tallies{{at: now}}, replies: replies{},
		reload:  reloader{Reload: api.Reload{Path: path, Digest: first.Config.Digest, Applied: now, Last: now, OK: true, Succeeded: 1}},
		opened:  first.Found != nil,
		refused: map[machine.Setting]error{}, tuned: copied(first.tuned), saved: first.tuned,
	}
	c.learning = first.Config.Director.Sync.Router != "" && first.Config.Director.Sync.Refresh > 0
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
		c.hear(now, in)
	case MachineSeen:
		c.look(now, in)
	case Tuned:
		c.adjusted(now, in)
	case RoundHeard:
		c.hearRound(now, in)
	case MachineChanged:
		c.do(Retry{})
		c.changed = true
	case ResourcesBarred:
		c.barred = in
		c.tellKeeper()
	case TableSeen:
		c.seeTable(now, in)
	case Counted:
		if c.several {
			in = in.together(c.config.Services)
		}
		c.counters = in
		c.drain(now)
		c.suspect(now)
	case Reload:
		if in.Asker != nil {
			c.ask(now, in.Asker)
		} else {
			c.ask(now)
		}
	case ReadingEnded:
		c.read(now, in)
	case Failover:
		c.failOver(now, in)
	case StandBy:
		c.standBy(now, in)
	case StandbyKept:
		c.keepStandby(now, in)
	case StandbySaved:
		c.savedStandby(in)
	case Assert:
		c.assert(now, in)
	case Resume:
		if len(in.Servers) > 0 {
			c.letIn(now, in)
		} else {
			c.resume(now, in)
		}
	case ConfigurationSaved:
		if in.Err != nil {
			c.tell(now, event.Warning, "configuration-unkept", "", "the configuration runs, and is not kept for lvsd config rollback", slog.Any("error", in.Err))
		}
	case KeptOutSaved:
		c.savedKeptOut(now, in.Err)
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
	next := earliest(c.nextBeat, c.planned.Until)
	if !c.ready {
		next = earliest(next, c.startEnd)
	}
	next = earliest(next, c.remarking.until)
	return earliest(earliest(earliest(next, c.offerAt), c.orders.deadline()), earliest(c.reload.until, c.reload.loading))
}

// Expire does what is due by now.
func (c *Core) Expire(now time.Time) []Effect {
	if due(c.nextBeat, now) {
		c.beat(now)
	}
	if due(c.reload.until, now) {
		c.giveUp(now)
	}
	c.expireOrders(now)
	c.offerRoles(now)
	return c.act(now)
}

// act does what follows from all that has been taken, and hands out the effects.
func (c *Core) act(now time.Time) []Effect {
	over := due(c.startEnd, now)
	// The table comes before the targets: thousands of first probes at once would
	// take the processor from the one who loads it (measured, 10,000 servers on
	// one processor: 7.5 s to the full table, not 3).
	if !c.probing && (over || c.converged() || c.kernel.Refused) {
		c.probe(now)
	}
	if c.isolate(now) {
		c.tellKeeper()
	}
	if c.outdated || due(c.planned.Until, now) {
		c.plan(now)
		c.unjudged = true
	}
	c.remark(now)
	if c.unjudged && c.judge(now) {
		c.tellKeeper()
	}
	if c.reload.loaded(now, c.converged() && !c.kernel.Unruled) {
		c.reloaded()
	}
	switch {
	case c.ready:
	case over:
		c.becomeReady(now, "the start delay is over")
	case c.converged() && !c.kernel.Unruled && c.unheard() == 0:
		c.becomeReady(now, "the table is loaded, and every check has had a result")
	}
	effects := c.effects
	c.effects = nil
	return effects
}

// beat does what the core does regularly.
func (c *Core) beat(now time.Time) {
	c.nextBeat = now.Add(tick)
	c.beats++
	c.do(Heartbeat{})
	c.tellTogether(now)
	c.outdated = c.loads.count(c.config.Services, c.counters) || c.outdated
	if c.beats%repliesEvery == 0 {
		c.replies.count(now.Sub(c.started), c.config.Services, c.counters)
	}
	c.suspend(now)
	if c.beats%overdueEvery == 0 && c.probing {
		c.watchChecks(now)
	}
	c.describe()
	c.learn(now)
	regular := c.beats%looks == 0
	if regular {
		c.adverts = c.adverts.remember(tally{now, counters(c.routers)})
	}
	if (regular || c.changed) && !c.looking {
		c.looking, c.changed = true, false
		c.do(Look{answering(c.config.Services), c.tunesIPVS()})
	}
}

// observe takes the results of probes.
func (c *Core) observe(now time.Time, results Probed) {
	shifts, advices := c.healths.shifts, c.healths.advices
	for _, o := range results {
		c.unjudged = c.watch.observe(now, o.Target, o.Result) || c.unjudged
		for _, change := range c.healths.Observe(now, o.Target, o.Result) {
			c.outdated = c.outdated || change.Before == ""
			if c.bustle.takes(&change) {
				c.tellChange(now, change)
			}
		}
	}
	if c.healths.shifts != shifts && (c.isolation.By != "" || len(c.panics) > 0) {
		c.outdated = true // Only who is silent is held in.
	}
	c.outdated = c.outdated || c.healths.advices != advices
}

// tellChange reports that a real server is up or down, or down for another reason.
func (c *Core) tellChange(now time.Time, change Change) {
	subject := change.Service + "/" + change.Server
	attributes := []slog.Attr{slog.String("service", change.Service), slog.String("server", change.Server), slog.String("address", change.Address.String())}
	switch {
	case change.Mode != checker.Undirected:
		c.tell(now, event.Info, "server-directed", subject, map[checker.Mode]string{
			checker.Ready:       "a check no longer demands that the real server gets no connections",
			checker.Drain:       "a check demands that the real server gets no new connections",
			checker.Maintenance: "a check demands that the real server is out of the table",
		}[change.Mode], attributes...)
	case change.Before != "":
		c.tell(now, event.Warning, "server-still-down", subject, "real server is down for another reason",
			append(attributes, slog.String("reason", change.Detail), slog.String("before", change.Before))...)
	case change.State == checker.Up:
		c.tell(now, event.Info, "server-up", subject, "real server is up", attributes...)
	case change.State == checker.Down:
		c.tell(now, event.Warning, "server-down", subject, "real server is down", append(attributes, slog.String("reason", change.Detail))...)
	}
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

// hear takes the routers' newest statuses; the plan depends on their roles
// alone.
func (c *Core) hear(now time.Time, routers []*vrrp.Status) {
	c.outdated = c.outdated || !slices.EqualFunc(c.routers, routers, func(a, b *vrrp.Status) bool {
		return a.Name == b.Name && a.State == b.State
	})
	if len(c.lulls) > 0 && becomesMaster(c.masters(), routers) && c.lulls.end(now) {
		c.setIdle()
	}
	told := c.syncRole()
	c.routers = routers
	if c.syncRole() != told {
		c.adjust()
		c.tellConnections()
	}
	c.suspend(now)
	c.followOrders(now)
}

// seeTable takes how the kernel's table is. Its packets are looked at once a heartbeat.
func (c *Core) seeTable(now time.Time, in TableSeen) {
	c.kernel = in
	if c.unpaved && in.Converged {
		c.unpaved = false
		c.do(Retry{})
	}
	if c.lullsAt == c.beats {
		return
	}
	if c.several && in.Packets != nil {
		in.Packets = packetsTogether(c.config.Services, in.Packets)
	}
	if c.lullsAt = c.beats; c.lulls.count(now, in.Packets) {
		c.setIdle()
	}
}

// drain lets removed servers go that have no connections any more. It is looked once a
// heartbeat: the counters are read as often, and told of at everything that happens.
func (c *Core) drain(now time.Time) {
	if len(c.draining) > 0 && c.drainsAt != c.beats {
		c.drainsAt = c.beats
		c.outdated = c.draining.count(now, c.counters) || c.outdated
	}
}

// suspect looks for servers that leave clients unanswered, once a heartbeat, and has these
// checked at once. Nothing else follows: what their checks find decides.
func (c *Core) suspect(now time.Time) {
	if len(c.suspects) == 0 || c.suspectsAt == c.beats {
		return
	}
	c.suspectsAt = c.beats
	var hurry Suspect
	for i := range c.config.Services {
		s := &c.config.Services[i]
		all, watched := c.suspects[s.Key]
		if !watched {
			continue
		}
		for j := range s.Servers {
			srv := &s.Servers[j]
			if forward := srv.Destination.Forward; forward != ipvsctl.NAT && s.Key.Protocol != ipvsctl.TCP {
				continue
			}
			n, _ := c.counters[s.Key].Get(srv.Key)
			is, suspicious := all.servers[srv.Key].next(now, srv.Destination.Forward, n)
			all.servers[srv.Key] = is
			if !suspicious || c.healths.State(i, j) != checker.Up || c.sleeps(i) {
				continue
			}
			all.count++
			for k := range srv.Checks {
				hurry = append(hurry, srv.Checks[k].Target)
			}
			c.tell(now, event.Info, "server-suspected", s.Name+"/"+srv.Name, "real server leaves clients unanswered, so it is checked at once",
				slog.String("service", s.Name), slog.String("server", srv.Name), slog.String("address", srv.Key.String()))
		}
		c.suspects[s.Key] = all
	}
	if len(hurry) > 0 {
		c.do(hurry)
	}
}

// becomesMaster reports whether this director has become Master of a virtual router.
func becomesMaster(was func(router string) bool, routers []*vrrp.Status) bool {
	return slices.ContainsFunc(routers, func(r *vrrp.Status) bool { return r.State == vrrp.Master && !was(r.Name) })
}

// stop begins the hand-over, during which the table is still kept equal to the
// servers' health, until the peer has the address.
func (c *Core) stop(now time.Time) {
	if c.stopping {
		return
	}
	c.stopping = true
	c.reload.abandon() // The stop cancels it, and what it says would come too late.
	c.reload.askers, c.reload.next = append(c.reload.askers, c.reload.next...), nil
	c.answer(stopping)
	c.abandonOrders()
	c.do(Notify("STOPPING"))
	text := "stopping"
	if slices.ContainsFunc(c.routers, func(s *vrrp.Status) bool { return s.State == vrrp.Master }) {
		text = "stopping: handing over"
	}
	c.tell(now, event.Info, "stopping", "", text)
	var slowest time.Duration
	for i := range c.config.Routers {
		slowest = max(slowest, c.config.Routers[i].Leave.Timeout+c.config.Routers[i].HandOver())
	}
	restore, kept := c.restored()
	c.do(HandOver{Limit: 10*time.Second + slowest, Restore: restore, Kept: kept})
}
