package director

import (
	"log/slog"
	"net/netip"
	"time"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/event"
	"github.com/lvsd/lvsd/internal/machine"
	"github.com/lvsd/lvsd/ipvsctl"
	"github.com/lvsd/lvsd/vrrp"
)

// tick is the time between two heartbeats.
const tick = time.Second

// A Core decides everything that a director does, and does nothing itself. It
// is told what happened by Handle, and how late it is by Expire; both return
// what is to be done, in its order. It starts no goroutine, waits for nothing
// and reads no clock.
type Core struct {
	config *config.Config
	// diagnostics are the warnings about it, one line each.
	diagnostics []string
	started     time.Time

	healths Healths
	watch   watch
	// unjudged: something that conditions depend on has changed.
	unjudged bool
	routers  []*vrrp.Status
	adverts  tallies
	reload   reloader

	// probing: the first table is in the kernel, or was waited for in vain.
	probing bool
	// ready: the virtual routers may leave Initialize. They may at startEnd at
	// the latest.
	ready    bool
	startEnd time.Time
	// awaited is until when targets that are new may lack a first result.
	awaited time.Time
	// asked is when the targets were set last, watched when it was looked last how old
	// results are, and overdue are the targets that have no new one.
	asked, watched time.Time
	overdue        map[checker.Target]overdue

	// nextBeat is when the next heartbeat is due; beats counts them.
	nextBeat time.Time
	beats    int
	// described is what the service manager was told last.
	described string
	// looking: a look at the machine has not ended yet. changed: something else is to
	// be seen since the last one began. facts are what the last one found, and own the
	// addresses among them that are not virtual. found and counted are what was wrong
	// then: what no event tells of, and what the routers have counted.
	looking bool
	changed bool
	facts   machine.Facts
	own     map[netip.Addr]bool
	// private are the services that checks by the forwarding path have need of, and unpaved
	// is true until the kernel has them.
	private ipvsctl.Table
	unpaved bool
	// remarking is under way while a reload changes by which marks packets are known.
	remarking remarking
	// several: some services are several virtual services of the kernel.
	several bool
	// tuned are the kernel's parameters that lvsd has changed, as they were before, and
	// saved are those that are known beyond this process; tuning are those that will be
	// once what is being set now is; nil: nothing is. refused is why those could not be set
	// that should be, and unsaved why what they were could not be kept.
	tuned, saved, tuning map[machine.Setting]string
	refused              map[machine.Setting]error
	unsaved              error
	settingFaults        map[string]uint64 // what was refused, and looks that failed, by their kind
	retune               bool              // something was to be set meanwhile
	// telling: others are told of all connections. learning: this director may not have been
	// told of all of them yet; listening: it hears when it has, and begun: a round has.
	telling, learning, listening, begun bool
	found                               findings
	counted                             findings

	// planned is the last plan, and outages are the services that have lost their
	// last server by it or an earlier one, and not got one since.
	planned Planned
	outages map[ipvsctl.ServiceKey]bool
	// low are the services of which fewer servers take connections than min_healthy, and
	// ranked how the tiers of those stood that have several.
	low    map[ipvsctl.ServiceKey]bool
	ranked map[ipvsctl.ServiceKey]ranked
	// kept are the servers that manual_resume keeps out.
	kept keptOut
	// bustle are the servers that have changed since the last heartbeat.
	bustle bustle
	// told are the states that hooks have been told of, by service and server.
	told map[string]serviceStates
	// suspects are what is known of the answers of servers that may be suspected, and
	// suspectsAt at which heartbeat it was looked last.
	suspects   suspects
	suspectsAt int
	// asleep are the services whose checks do not run now, since this director is not Master;
	// nil unless there are services with ha_suspend.
	asleep map[ipvsctl.ServiceKey]bool
	// lulls are how the traffic is of the services that have checks with another interval while
	// they are idle.
	// lullsAt is at which heartbeat they were counted last.
	lulls   lulls
	lullsAt int
	// counters are the kernel's, and loads and replies what follows from them.
	counters Counted
	loads    loads
	replies  replies
	// leaving is what serves for services that the last reload has changed.
	leaving map[ipvsctl.ServiceKey]Leaving
	// draining are real servers that a reload has removed and that keep their connections.
	// drainsAt is at which heartbeat it was looked last how many connections those have.
	draining draining
	drainsAt int
	// panics are the services whose servers are held in, and isolation holds in those
	// of all services while isolated, or soon after.
	panics    map[ipvsctl.ServiceKey]Hold
	isolated  bool
	isolation Hold
	// offerAt is when a director that is cut off offers its roles; zero: it does not, or has.
	offerAt time.Time
	// outdated: something that the plan depends on has changed.
	outdated bool
	// opened: there is an IPVS table, and kernel is how it was seen since the
	// newest one was set.
	opened   bool
	kernel   TableSeen
	stopping bool
	orders   orders
	// supposed are real servers that count as down, in a copy that is asked what would be.
	supposed map[place]bool
	// barred are why virtual routers must not be Master for their resources.
	barred map[string]string

	effects []Effect
}

// serviceStates are the states that the hooks of a service were told of, by the names of its
// servers, and of the service itself by none.
type serviceStates map[string]string

// An overdue is what is known of a target whose next result should have come three
// intervals ago.
type overdue struct {
	subject string // of the first check that waits for it
	// since is when that was seen, and restarted when its probe was given up last.
	since, restarted time.Time
}

// written reports whether the kernel has the table that was set last, and converged whether
// that is what the configuration says.
func (c *Core) written() bool   { return !c.opened || c.kernel.Converged }
func (c *Core) converged() bool { return c.written() && (!c.opened || !c.remarking.underWay()) }

// absentOf identifies the real server Services[service].Servers[server].
func (c *Core) absentOf(service, server int) absent {
	s := &c.config.Services[service]
	return absent{s.Name, s.Servers[server].Key}
}

// standing is what is known of the real server Services[service].Servers[server].
func (c *Core) standing(service, server int) Standing {
	s := c.healths.Standing(service, server)
	s.Full = c.full(service, server)
	if c.config.Services[service].PolicyOf(server).ManualResume {
		a := c.absentOf(service, server)
		since, out := c.kept.since[a]
		// While it is down for the failure that it is kept out for, a hold may still hold it in.
		s.KeptOut = out && (s.State != checker.Down || !since.Equal(s.Since))
		s.Resumed = c.kept.resumed[a]
	}
	if c.supposed[c.place(service, server)] {
		s = Standing{State: checker.Down, Since: s.Since}
	}
	return s
}

// place is where the real server Services[service].Servers[server] is in the table.
func (c *Core) place(service, server int) place {
	s := &c.config.Services[service]
	return place{s.Key, s.Servers[server].Key}
}

// below reports whether fewer servers of a service take connections than must.
func (c *Core) below(service int) bool { return c.low[c.config.Services[service].Key] }

// lowTiers are the tiers of a service of which fewer servers take connections than must.
func (c *Core) lowTiers(service int) tiers { return c.ranked[c.config.Services[service].Key].low }

// full reports whether the real server Services[service].Servers[server] has
// reached its upper threshold.
func (c *Core) full(service, server int) bool {
	s := &c.config.Services[service]
	return s.Servers[server].Destination.Upper > 0 && c.loads[place{s.Key, s.Servers[server].Key}].full
}

// masters reports of which virtual routers this director is Master.
func (c *Core) masters() func(router string) bool {
	masters := make(map[string]bool, len(c.routers))
	for i := range c.routers {
		masters[c.routers[i].Name] = c.routers[i].State == vrrp.Master
	}
	return func(router string) bool { return masters[router] }
}

// about are a service's attributes in an event.
func about(s *config.Service) []slog.Attr {
	return []slog.Attr{slog.String("service", s.Name), slog.String("address", s.Address()), slog.Bool("fallback", s.HasFallback())}
}

// do adds an effect.
func (c *Core) do(e Effect) { c.effects = append(c.effects, e) }

// tell reports an event.
func (c *Core) tell(now time.Time, s slog.Level, code, subject, text string, attributes ...slog.Attr) {
	c.do(Tell{event.Event{At: now, Severity: s, Code: code, Subject: subject, Text: text, Attributes: attributes}})
}
