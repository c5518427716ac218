package director

import (
	"maps"
	"net/netip"
	"slices"
	"time"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/ipvsctl"
	"github.com/lvsd/lvsd/vrrp"
)

// A World is what the plan depends on beside the configuration.
type World struct {
	// Standing returns what is known of the real server
	// Services[service].Servers[server].
	Standing func(service, server int) Standing
	// Holds are what keeps servers of a service in the table, in the order in which
	// they decide; nil: nothing.
	Holds func(service int) []Hold
	// Below reports whether fewer of a service's servers took connections than its
	// min_healthy, so that recover_healthy counts, and Low of which of its tiers; nil: of none.
	Below func(service int) bool
	Low   func(service int) tiers
	// Master reports whether this director is Master of the named virtual
	// router.
	Master func(router string) bool
	// Own reports whether an address is this director's own, not a virtual one.
	Own func(netip.Addr) bool
	// AwaitedUntil is until when servers that are new may lack a first result
	// without that being an outage; zero: no longer.
	AwaitedUntil time.Time
	// Private are the services that checks have need of. They depend on no health.
	Private ipvsctl.Table
	// Leaving is what served before the configuration changed, by the service that
	// replaces it. It serves for as long as that one is undecided.
	Leaving map[ipvsctl.ServiceKey]Leaving
	// Draining are real servers that were removed and keep their connections.
	Draining draining
}

// A Planned is what should be, at the moment for which it was planned.
type Planned struct {
	Table ipvsctl.Table
	// Verdicts are on the configured services, in their order.
	Verdicts []Verdict
	// Until is when the plan changes although nothing happens; zero: it does not.
	Until time.Time
}

// Plan returns what the IPVS table should be, and how each service is served
// then. It is a function of its arguments alone: it depends neither on what was
// planned before nor on the order in which things happened, and somebody may
// ask it what would be if.
func Plan(now time.Time, c *config.Config, w World) Planned {
	p := Planned{Table: make(ipvsctl.Table, len(c.Services)+len(w.Private)), Verdicts: make([]Verdict, len(c.Services))}
	maps.Copy(p.Table, w.Private)
	holder := config.Holders(c.Routers)
	var states []checker.State
	var weights []Weight
	for i := range c.Services {
		s := &c.Services[i]
		toSelf := forwardsToSelf(s, w.Own)
		if toSelf && !mayForward(s, c.Routers, holder, w.Master) {
			// While the other director is Master, what it forwards to this one
			// must be served here, not forwarded again: with the row in the
			// table the packet would bounce between the two.
			p.Verdicts[i] = Verdict{Supply: api.Withheld}
			continue
		}
		states, weights = states[:0], weights[:0]
		var holds []Hold
		policy := s.Policed()
		if w.Holds != nil {
			holds = w.Holds(i)
		}
		for j := range s.Servers {
			standing := w.Standing(i, j)
			weight := weigh(now, &s.Servers[j], s.PolicyOf(j), standing, holds)
			states, weights = append(states, standing.State), append(weights, weight)
			p.Until = earliest(p.Until, weight.Until)
		}
		awaited := now.Before(w.AwaitedUntil)
		if awaited && (policy.MinHealthy.N > 0 || tiered(s)) {
			p.Until = earliest(p.Until, w.AwaitedUntil)
		}
		low, unsure, order := w.below(i, s, states, weights, awaited)
		rows := choose(s, weights, low)
		p.Until = earliest(p.Until, w.Draining.stay(now, s.Key, &rows))
		p.Table[s.Key] = ipvsctl.VirtualService{Service: s.Service, Destinations: rows}
		p.Verdicts[i] = judge(states[:s.Real()], weights, awaited).lower(low, s.Fallback != nil)
		p.Verdicts[i].unsure, p.Verdicts[i].ranked = unsure, order
		if p.Verdicts[i].Supply == api.Undecided {
			p.Until = earliest(p.Until, w.AwaitedUntil)
			w.Leaving[s.Key].stay(p.Table, s, states, w.Own)
		}
		spread(p.Table, s, func(key ipvsctl.ServiceKey) bool { return !toSelf || comes(key.Addr, holder, w.Master) })
	}
	p.Until = earliest(p.Until, w.Draining.add(now, p.Table))
	return p
}

// below reports whether too few servers of a service take connections, and ranks its tiers
// where it has several: the weights of those that do not serve are another then.
func (w *World) below(service int, s *config.Service, states []checker.State, weights []Weight, awaited bool) (low, unsure bool, r ranked) {
	if !tiered(s) {
		low, unsure = below(s, states, weights, awaited, w.Below != nil && w.Below(service))
		return low, unsure, r
	}
	var was tiers
	if w.Low != nil {
		was = w.Low(service)
	}
	r, low, unsure = rank(s, states, weights, awaited, was)
	r.rest(s, weights)
	return low, unsure, r
}

// Targets returns the targets of all checks and conditions of a configuration, in
// its order; what several share is there for each of them. Those of services that are
// asleep are left out; nil: none is.
func Targets(c *config.Config, asleep map[ipvsctl.ServiceKey]bool) []*checker.Target {
	all := make([]*checker.Target, 0, countChecks(c.Services))
	for w, check := range eachCheck(c.Services) {
		if len(asleep) == 0 || !asleep[c.Services[w.service].Key] {
			all = append(all, &check.Target)
		}
	}
	for i := range c.Conditions {
		for j := range c.Conditions[i].Checks {
			all = append(all, &c.Conditions[i].Checks[j].Target)
		}
	}
	return all
}

// mayForward reports whether packets of the service come to this director because
// it is Master, or regardless of that. A firewall mark of the user's does not tell which
// address they were sent to: being Master of any virtual router decides.
func mayForward(s *config.Service, routers []vrrp.Config, holder map[netip.Addr]string, master func(string) bool) bool {
	switch {
	case s.Marked():
		held := false
		for a, router := range holder {
			if s.Packets.HasAddr(a) {
				if master(router) {
					return true
				}
				held = true
			}
		}
		return !held
	case s.Key.Mark != 0:
		return len(routers) == 0 || slices.ContainsFunc(routers, func(r vrrp.Config) bool { return master(r.Name) })
	}
	return comes(s.Key.Addr, holder, master) || slices.ContainsFunc(s.More, func(key ipvsctl.ServiceKey) bool { return comes(key.Addr, holder, master) })
}

// comes does that for packets to one address.
func comes(a netip.Addr, holder map[netip.Addr]string, master func(string) bool) bool {
	router, held := holder[a]
	return !held || master(router)
}

// forwardsToSelf reports whether the service hands packets unchanged to one of
// this director's own addresses.
func forwardsToSelf(s *config.Service, own func(netip.Addr) bool) bool {
	for i := range s.Servers {
		srv := &s.Servers[i]
		if srv.Destination.Forward != ipvsctl.NAT && own(srv.Key.Addr) {
			return true
		}
	}
	return s.Fallback != nil && s.Fallback.Destination.Forward != ipvsctl.NAT && own(s.Fallback.Key.Addr)
}
