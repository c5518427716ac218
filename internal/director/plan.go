package director

import (
	"net/netip"
	"slices"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/ipvsctl"
	"github.com/lvsd/lvsd/vrrp"
)

// A Standing is what a real server's health means for the IPVS table.
type Standing uint8

// The standings of a real server.
const (
	// Unknown: not in the table, since nothing was heard of it yet.
	Unknown Standing = iota
	// Down: not in the table.
	Down
	// Quiet: in the table with weight 0, as it was found at start.
	Quiet
	// Up: in the table with its weight.
	Up
)

// A World is what the plan depends on beside the configuration.
type World struct {
	// Standing tells how the real server Services[service].Servers[server]
	// stands.
	Standing func(service, server int) Standing
	// Master tells whether this director is Master of the named virtual
	// router.
	Master func(router string) bool
	// Own tells whether an address is this director's own, not a virtual one.
	Own func(netip.Addr) bool
	// Awaited: the first results of servers that are new may still come.
	Awaited bool
}

// Plan says what the IPVS table should be. It is a function of its arguments
// alone: what was planned before, and in which order things happened, changes
// nothing.
func Plan(c *config.Config, w World) ipvsctl.Table {
	table, _ := plan(c, w)
	return table
}

// plan is Plan, and says of each service whether it is served then.
func plan(c *config.Config, w World) (ipvsctl.Table, []Verdict) {
	table, verdicts := make(ipvsctl.Table, len(c.Services)), make([]Verdict, len(c.Services))
	holder := holders(c.Routers)
	var standings []Standing
	for i := range c.Services {
		s := &c.Services[i]
		if forwardsToSelf(s, w.Own) && !mayForward(s, c.Routers, holder, w.Master) {
			// While the other director is Master, what it forwards to this one
			// must be served here, not forwarded again: with the row in the
			// table the packet would bounce between the two.
			verdicts[i] = Verdict{Supply: Withheld}
			continue
		}
		standings = standings[:0]
		for j := range s.Servers {
			standings = append(standings, w.Standing(i, j))
		}
		verdicts[i] = supplyOf(s, standings, w.Awaited)
		table[s.Key] = ipvsctl.VirtualService{Service: s.Service, Destinations: destinations(s, standings, verdicts[i])}
	}
	return table, verdicts
}

// destinations returns the rows of one service: each server by its standing,
// and the fallback exactly while no server takes connections.
func destinations(s *config.Service, standings []Standing, v Verdict) map[ipvsctl.DestinationKey]ipvsctl.Destination {
	rows := make(map[ipvsctl.DestinationKey]ipvsctl.Destination, len(s.Servers)+1)
	for i, standing := range standings {
		row := s.Servers[i].Destination
		switch standing {
		case Up:
		case Quiet:
			row.Weight = 0
		default:
			continue
		}
		rows[s.Servers[i].Key] = row
	}
	if s.Fallback != nil && v.Supply != Served {
		rows[s.Fallback.Key] = s.Fallback.Destination
	}
	return rows
}

// Targets returns the targets of all checks of a configuration, in its order;
// what several checks share is there for each of them.
func Targets(c *config.Config) []checker.Target {
	n := 0
	for i := range c.Services {
		for j := range c.Services[i].Servers {
			n += len(c.Services[i].Servers[j].Checks)
		}
	}
	all := make([]checker.Target, 0, n)
	for i := range c.Services {
		for j := range c.Services[i].Servers {
			for _, k := range c.Services[i].Servers[j].Checks {
				all = append(all, k.Target)
			}
		}
	}
	return all
}

// holders maps each virtual address to the name of its router.
func holders(routers []vrrp.Config) map[netip.Addr]string {
	m := make(map[netip.Addr]string)
	for i := range routers {
		for _, p := range routers[i].Addresses {
			m[p.Addr()] = routers[i].Name
		}
		for _, e := range routers[i].Extra {
			m[e.Prefix.Addr()] = routers[i].Name
		}
	}
	return m
}

// mayForward tells whether the service's packets come to this director because
// it is Master, or regardless of that. A firewall mark does not tell by which
// address they come: being Master of any virtual router decides.
func mayForward(s *config.Service, routers []vrrp.Config, holder map[netip.Addr]string, master func(string) bool) bool {
	if s.Key.Mark != 0 {
		return len(routers) == 0 || slices.ContainsFunc(routers, func(r vrrp.Config) bool { return master(r.Name) })
	}
	router, held := holder[s.Key.Addr]
	return !held || master(router)
}

// forwardsToSelf tells whether the service hands packets unchanged to one of
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
