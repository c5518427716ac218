package director

import (
	"cmp"
	"maps"
	"net/netip"
	"os"
	"slices"
	"time"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/ipvsctl"
	"github.com/lvsd/lvsd/vrrp"
)

// Status returns what is known about the daemon.
func (c *Core) Status(now time.Time, e Edges) *api.Status {
	s := &api.Status{
		SchemaVersion: api.SchemaVersion, Time: now, Version: e.Version, Node: c.config.Node, PID: os.Getpid(), Started: c.started,
		Ready: c.ready, Stopping: c.stopping,
		Reload: c.reload.Reload, Keeper: e.Keeper, Routers: c.routerStatuses(e), SyncGroups: groupStatuses(c.routers, e),
		Streams: append([]api.Stream{}, e.Streams...), Static: c.staticStatus(e), Probes: probesStatus(&e.Probes), Table: tableStatus(e.Table.Stats), Foreign: foreign(e.Table.Foreign),
		ServerMetrics: c.config.Director.HTTP.ServerMetrics, SettingFaults: maps.Clone(c.settingFaults),
	}
	s.Services, s.Findings = make([]api.Service, 0, len(c.config.Services)), []api.Finding{}
	for i := range c.config.Services {
		s.Services = append(s.Services, c.serviceStatus(now, i, e.Table))
		s.Services[i].Hooks = slices.Clone(e.Hooks[config.Owner{Service: s.Services[i].Name}])
	}
	if e.Rules.Wanted > 0 {
		rules := api.Rules(e.Rules)
		s.Rules = &rules
	}
	if kept := c.orders.standby; kept != nil {
		standby := *kept
		s.Standby = &standby
	}
	if e.Trial != nil {
		trial := *e.Trial
		s.Trial = &trial
	}
	keepTime(s, now)
	s.Findings = append(s.Findings, c.findings(now, s, e)...)
	return s
}

// keepTime makes the moments of a status those of the clock as it is set now: they
// are as long ago as the monotonic clock says, also if the time was set since. An
// adjustment of less than half a second changes none of them.
func keepTime(s *api.Status, now time.Time) {
	keep := func(t *time.Time) {
		if !t.IsZero() {
			set := now.Round(0).Sub(t.Round(0)) - now.Sub(*t)
			*t = t.Round(0).Add(set.Round(time.Second))
		}
	}
	for _, t := range []*time.Time{&s.Started, &s.Reload.Applied, &s.Reload.Last, &s.Keeper.Restarted, &s.Table.Audited} {
		keep(t)
	}
	if s.Standby != nil {
		keep(&s.Standby.Since)
		keep(&s.Standby.Until)
	}
	if s.Trial != nil {
		keep(&s.Trial.Since)
		keep(&s.Trial.Until)
	}
	for i := range s.Routers {
		keep(&s.Routers[i].Since)
		if h := s.Routers[i].HeldBack; h != nil {
			keep(&h.Since)
		}
		for j := range s.Routers[i].Transitions {
			keep(&s.Routers[i].Transitions[j].At)
		}
		keepHooks(s.Routers[i].Hooks, keep)
		keepResources(s.Routers[i].Resources, keep)
	}
	for i := range s.SyncGroups {
		keepHooks(s.SyncGroups[i].Hooks, keep)
		keepResources(s.SyncGroups[i].Resources, keep)
	}
	for i := range s.Streams {
		keep(&s.Streams[i].Since)
		keep(&s.Streams[i].Retry)
	}
	for i := range s.Services {
		keepHooks(s.Services[i].Hooks, keep)
		for _, servers := range [][]api.Server{s.Services[i].Servers, s.Services[i].Fallbacks} {
			for j := range servers {
				keep(&servers[j].Since)
				for k := range servers[j].Checks {
					keep(&servers[j].Checks[k].Last.At)
				}
			}
		}
	}
}

func keepHooks(hooks []api.Hook, keep func(*time.Time)) {
	for i := range hooks {
		keep(&hooks[i].Last.At)
	}
}

func keepResources(resources []api.Resource, keep func(*time.Time)) {
	for i := range resources {
		keep(&resources[i].Since)
	}
}

// findings are what follows from a status, and what the core knows beside it,
// the most urgent first.
func (c *Core) findings(now time.Time, s *api.Status, e Edges) []api.Finding {
	all := findings(Findings(s))
	if e.HTTP != nil {
		all.add(api.Warning, HTTPUnavailable, "", "listen on an address of this director's own, and on a port that is free",
			"HTTP cannot be served, so there are no metrics; it is tried again: %v", e.HTTP)
	}
	if e.Alone != nil {
		all.add(api.Warning, NamespaceUnlocked, "", "end that process", "a second lvsd in this network namespace would not be noticed: %v", e.Alone)
	}
	all.trial(e.Trial)
	all.groups(s)
	all.rules(s.Rules, s.Services)
	for i := range s.Routers {
		all.rivals(&s.Routers[i], s.Services)
	}
	all.adverts(c.adverts.since(counters(c.routers)), c.routers)
	all = all.unexplained()
	all = append(all, c.unreported(now)...)
	for _, d := range c.diagnostics {
		all.add(api.Warning, "configuration", d, "", "%s", d)
	}
	slices.SortStableFunc(all, func(a, b api.Finding) int { return cmp.Compare(levels[b.Severity], levels[a.Severity]) })
	return all
}

// routerStatuses are all configured routers, as the keeper has reported them some
// time ago.
func (c *Core) routerStatuses(e Edges) []api.Router {
	ago := e.Keeper.Age
	all := make([]api.Router, 0, len(c.config.Routers))
	for i := range c.routers {
		all = append(all, routerStatus(c.routers[i], ago))
	}
	for i := range c.config.Routers {
		r := &c.config.Routers[i]
		if !slices.ContainsFunc(all, func(s api.Router) bool { return s.Name == r.Name }) {
			all = append(all, routerStatus(&vrrp.Status{
				Name: r.Name, Interface: r.Interface, VRID: r.VRID, Version: r.Version, State: vrrp.Initialize, Since: c.reload.Applied, Priority: r.Priority,
				Interval: r.Interval, MissedAdverts: r.MissedAdverts, Addresses: r.Addresses, Fault: "the keeper has not reported yet",
			}, 0))
		}
	}
	for i := range all {
		all[i].Transitions = append([]api.Transition{}, e.Keeper.Transitions[all[i].Name]...)
		if h, ok := c.orders.held[all[i].Name]; ok && all[i].State != api.Master {
			all[i].HeldBack = &h.Held
		}
		all[i].Hooks = append([]api.Hook{}, e.Hooks[config.Owner{Router: all[i].Name}]...)
		all[i].Resources = append([]api.Resource{}, e.Resources[all[i].Name]...)
	}
	return all
}

// staticStatus is how what is kept without a virtual router stands, as the keeper has
// reported it; nil: nothing is configured.
func (c *Core) staticStatus(e Edges) *api.Static {
	switch names := c.config.Static.Names(); {
	case len(names) == 0:
		return nil
	case e.Keeper.Static == nil:
		return &api.Static{Wanted: names}
	}
	return e.Keeper.Static
}

// maxForeign bounds the services of others in a status.
const maxForeign = 100

// foreign lists services that are not ours.
func foreign(services map[ipvsctl.ServiceKey]ipvsctl.Service) []string {
	all := make([]string, 0, len(services))
	for k, s := range services {
		all = append(all, k.String()+" "+s.Scheduler)
	}
	slices.Sort(all)
	return all[:min(len(all), maxForeign)]
}

// serviceStatus joins what is configured, what is known of the servers' health
// and what is in the kernel.
func (c *Core) serviceStatus(now time.Time, place int, seen ipvsctl.Snapshot) api.Service {
	configured := &c.config.Services[place]
	row, present := seen.Table[configured.Key]
	counters := countersOf(configured, seen.Counters)
	s := api.Service{
		Name: configured.Name, Address: configured.Address(), Key: keyStatus(configured.Key), Scheduler: configured.Service.Scheduler,
		InKernel: present, Servers: make([]api.Server, 0, len(configured.Servers)),
		Supply: c.planned.Verdicts[place].Supply, Reason: string(c.planned.Verdicts[place].Reason()),
		BelowMinimum: c.planned.Verdicts[place].Below, Idle: c.lulls[configured.Key].idle, Suspended: c.asleep[configured.Key], Suspicions: c.suspects[configured.Key].count,
	}
	if configured.Packets != nil {
		s.Packets, s.Mark, s.SourceNAT = configured.Packets.String(), configured.Mark, configured.SourceNAT.String()
	}
	for _, key := range configured.More {
		if _, there := seen.Table[key]; !there && c.planned.Table[key].Destinations != nil {
			s.InKernel = false
		}
		s.More = append(s.More, keyStatus(key))
	}
	if v := &c.planned.Verdicts[place]; !v.fallback() {
		s.Tier = int(v.Tier)
	}
	total, _ := counters.Get(ipvsctl.DestinationKey{})
	s.Traffic = api.Traffic{Connections: total.Connections, PacketsIn: total.PacketsIn, PacketsOut: total.PacketsOut,
		BytesIn: total.BytesIn, BytesOut: total.BytesOut}
	s.Transitions, s.Probes = c.healths.transitions[place], c.healths.probed[place].status()
	holds := c.holds(place)
	for i := range configured.Servers {
		srv := destinationStatus(configured.Servers[i].Name, configured.Servers[i].Key, configured.Servers[i].Destination, row, counters)
		c.healths.describe(place, i, &srv)
		srv.Full = c.full(place, i) && srv.KernelWeight > 0
		srv.DecidedBy = weigh(now, &configured.Servers[i], configured.PolicyOf(i), c.standing(place, i), holds).By
		_, srv.KeptOut = c.kept.since[c.absentOf(place, i)]
		if configured.Servers[i].Fallback() {
			s.Fallbacks = append(s.Fallbacks, srv)
			continue
		}
		if v := &c.planned.Verdicts[place]; v.low != 0 || v.Tier != 0 {
			srv.Tier = int(configured.Servers[i].TierOf())
			if v.Tier != 0 && srv.Tier != int(v.Tier) && srv.Health != api.Down && srv.DecidedBy == "" {
				srv.DecidedBy = api.ByTier
			}
		}
		s.Servers = append(s.Servers, srv)
	}
	if configured.Fallback != nil {
		f := destinationStatus("fallback", configured.Fallback.Key, configured.Fallback.Destination, row, counters)
		f.Health = api.Unchecked
		s.Fallback = &f
	}
	return s
}

// destinationStatus is what configuration and kernel say of one destination.
func destinationStatus(name string, key ipvsctl.DestinationKey, want ipvsctl.Destination,
	row ipvsctl.VirtualService, counters ipvsctl.Rows[ipvsctl.Counters]) api.Server {
	have, present := row.Destinations.Get(key)
	counted, _ := counters.Get(key)
	return api.Server{
		Name: name, Address: key.String(), Forward: want.Forward.String(), Checks: []api.Check{},
		Drained: want.Weight == 0,
		Weight:  want.Weight, KernelWeight: have.Weight, InKernel: present, Counters: api.Counters(counted),
	}
}

// describe fills in what is known of the health of the real server
// Services[service].Servers[server].
func (h *Healths) describe(service, server int, s *api.Server) {
	checks, configured := h.of(service, server), h.services[service].Servers[server].Checks
	s.Since = h.base.Add(h.servers[service][server].since)
	switch state := h.State(service, server); {
	case len(checks) == 0:
		s.Health = api.Unchecked
	case state == checker.Up:
		s.Health = api.Up
	case state == checker.Down:
		s.Health = api.Down
	default:
		s.Health = api.Unknown
	}
	groups, own := h.rule(service, server).Groups(len(checks)), h.services[service].Servers[server].Key.Addr
	for i := range checks {
		c := &checks[i]
		s.Checks = append(s.Checks, api.Check{Group: groups[i], Kind: configured[i].Target.Spec.Kind(), Up: c.State() == checker.Up, Last: resultStatus(c.Last())})
		if t := &configured[i].Target; t.Addr != own || configured[i].Forwarded {
			s.Checks[i].Asked = t.Asked()
		}
	}
}

// Here the domains' values become the API's. Types with the same fields are
// converted whole, so that a field which only one of them has does not compile.
// Lists and objects are never nil, since null is neither in JSON.

func routerStatus(r *vrrp.Status, ago time.Duration) api.Router {
	discarded, mismatched := vrrp.Reasons(r.Authentication != nil && len(r.Authentication.Keys) > 0)
	return api.Router{
		Name: r.Name, Interface: r.Interface, VRID: r.VRID, Version: r.Version, SyncGroup: r.SyncGroup,
		State: api.State(r.State), Phase: string(r.Phase), Since: r.Since, Priority: r.Priority, Configured: r.Configured, MissedAdverts: r.MissedAdverts, Interval: r.Interval, IntervalText: api.Duration(r.Interval),
		Fault: r.Fault, Barred: r.Barred, Unmet: r.Unmet, Conditions: judgedStatus(r.Conditions), Master: r.Master, MasterPriority: r.MasterPriority, Overdue: r.Overdue, OverdueText: api.Duration(r.Overdue), SignedAgo: r.SignedAgo, SignedAgoText: api.Duration(r.SignedAgo),
		Addresses: append([]netip.Prefix{}, r.Addresses...), Held: r.Held, Paths: append([]string{}, r.Paths...), PathsHeld: r.PathsHeld,
		Authentication: (*api.Authentication)(r.Authentication),
		Peers:          peersStatus(r.Peers, ago), Senders: reasons(r.Senders), Rivals: rivalsStatus(r.Rivals, ago), Unsent: r.Unsent, Unheard: r.Unheard, Unasked: r.Unasked, Aside: asideStatus(r.Aside), Dispute: r.Dispute,
		Missing: r.Missing, Left: r.Left, AddressesFailure: r.AddressesFailure,
		Counters: api.RouterCounters{
			AdvertsSent: r.Counters.AdvertsSent, AdvertsReceived: r.Counters.AdvertsReceived,
			PriorityZeroSent: r.Counters.PriorityZeroSent, PriorityZeroReceived: r.Counters.PriorityZeroReceived,
			BecameMaster: r.Counters.BecameMaster, LeftMaster: r.Counters.LeftMaster,
			OtherMasters: r.Counters.OtherMasters, SendErrors: r.Counters.SendErrors,
			Stalls: r.Counters.Stalls, AdvertsLate: r.Counters.AdvertsLate, AddressesRestored: r.Counters.AddressesRestored, PathsRestored: r.Counters.PathsRestored, AddressesRemoved: r.Counters.AddressesRemoved, Faults: r.Counters.Faults,
			Discarded: counts(discarded, r.Counters.Discarded), Mismatched: counts(mismatched, r.Counters.Mismatched),
		},
		AdvertGaps: histogramStatus(&r.AdvertGaps, vrrp.GapBounds), AdvertLateness: histogramStatus(&r.AdvertLateness, vrrp.LatenessBounds),
	}
}

// histogramStatus adds the bounds, and is empty for a router that nothing is known of.
func histogramStatus(h *vrrp.Histogram, bounds []float64) api.Histogram {
	all := api.Histogram{Bounds: bounds, Buckets: h.Buckets, Sum: h.Sum, Max: h.Max}
	if len(all.Buckets) == 0 {
		all.Buckets = make([]uint64, len(bounds)+1)
	}
	return all
}

func judgedStatus(conditions []vrrp.Judged) []api.Condition {
	all := make([]api.Condition, 0, len(conditions))
	for _, c := range conditions {
		all = append(all, api.Condition(c))
	}
	return all
}

// peersStatus adds to each age how long ago the keeper has told it.
func peersStatus(peers []vrrp.Peer, ago time.Duration) []api.Peer {
	all := make([]api.Peer, 0, len(peers))
	for _, p := range peers {
		age := p.Age + ago
		all = append(all, api.Peer{Address: p.Address, Priority: p.Priority, Refused: string(p.Refused), Key: p.Key, Age: age, AgeText: api.Duration(age)})
	}
	return all
}

// rivalsStatus does the same for rivals.
func rivalsStatus(rivals []vrrp.Rival, ago time.Duration) []api.Rival {
	all := make([]api.Rival, 0, len(rivals))
	for _, r := range rivals {
		age := r.Age + ago
		all = append(all, api.Rival{Address: r.Address, MAC: r.MAC, Master: r.Master, Refused: string(r.Refused), Age: age, AgeText: api.Duration(age)})
	}
	return all
}

func asideStatus(a *vrrp.Aside) *api.Aside {
	if a == nil {
		return nil
	}
	return &api.Aside{Master: a.Master, Reason: string(a.Reason), Address: a.Address, MAC: a.MAC}
}

// reasons makes reasons plain text.
func reasons[V any](by map[vrrp.Reason]V) map[string]V {
	all := make(map[string]V, len(by))
	for reason, v := range by {
		all[string(reason)] = v
	}
	return all
}

// counts makes them plain text too, and lets each counter be there before its first
// event.
func counts(all []vrrp.Reason, by map[vrrp.Reason]uint64) map[string]uint64 {
	counts := reasons(by)
	for _, reason := range all {
		counts[string(reason)] += 0
	}
	return counts
}

func keyStatus(k ipvsctl.ServiceKey) api.ServiceKey {
	s := api.ServiceKey{Protocol: uint8(k.Protocol), Address: k.Addr, Port: k.Port, Mark: k.Mark}
	if k.Protocol != 0 {
		s.ProtocolName = k.Protocol.String()
	}
	return s
}

// resultStatus returns zero for a check that has no result yet.
func resultStatus(r checker.Result) api.Result {
	if r.At.IsZero() {
		return api.Result{}
	}
	return api.Result{At: r.At, Latency: r.Latency, LatencyText: api.Duration(r.Latency), Outcome: api.Outcome(r.Outcome.String()), Reason: r.Reason.String(), Detail: r.Detail, Advice: r.Advice.String(), CertificateEnds: r.CertificateEnds.Time()}
}

func probesStatus(s *checker.Stats) api.Probes {
	kinds := make(map[string]api.Kind, len(s.Kinds))
	for kind, k := range s.Kinds {
		kinds[kind] = api.Kind(k)
	}
	return api.Probes{Targets: s.Targets, InFlight: s.InFlight, Waiting: s.Waiting, Restarted: s.Restarted, Lost: s.Lost,
		Late: s.Late, LateSeconds: s.LateSeconds, Delays: append([]uint64{}, s.Delays...), DelaySeconds: s.DelaySeconds,
		Bypassed: s.Bypassed, Unusable: s.Unusable, Kinds: kinds}
}

func tableStatus(s ipvsctl.Stats) api.Table {
	if s.Operations == nil {
		s.Operations = map[string]uint64{}
	}
	return api.Table(s)
}
