package doctor

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/machine"
	"github.com/lvsd/lvsd/ipvsctl"
	"github.com/lvsd/lvsd/vrrp"
)

func lookInterfaces(c *Case) (r Result) {
	if len(c.Config.Routers) == 0 {
		return needless("there is no virtual router")
	}
	for i := range c.Config.Routers {
		v := &c.Config.Routers[i]
		if !slices.Contains(c.Machine.Names(), v.Interface) {
			r.wrong("interface "+v.Interface, "correct its name, or make it: there are "+strings.Join(c.Machine.Names(), ", "), nil,
				"virtual router %q is on %s, and there is no such interface", v.Name, v.Interface)
		}
	}
	return r.judged()
}

func lookWays(c *Case) (r Result) {
	all := c.servings()
	if len(all) == 0 {
		return needless("there is no real server but this machine")
	}
	done := make(map[netip.Addr]bool)
	for _, s := range all {
		w, known := c.Ways[s.server]
		if !known || done[s.server] {
			continue
		}
		done[s.server] = true
		switch {
		case w.Failure != "":
			r.wrong("real server "+s.server.String(), "give this machine an address in the server's network, or a route to it", nil,
				"there is no way to real server %v of virtual service %q: %s", s.server, s.service.Name, w.Failure)
		case s.Forward == ipvsctl.Direct && w.Gateway.IsValid():
			r.wrong("real server "+s.server.String(), `give the director an interface in the server's network, or write forward = "tunnel"`, nil,
				"direct routing gives packets to real server %v by its MAC address, but it is behind %v", s.server, w.Gateway)
		}
	}
	return r.judged()
}

// overhead is by how much a tunnel makes packets longer, in bytes: the outer header (20 for
// IPv4, 40 for IPv6), and UDP's and GUE's own (8 and 4), or GRE's (4).
func overhead(s serving) int {
	n := 20
	if s.server.Is6() {
		n = 40
	}
	switch s.TunnelType {
	case ipvsctl.TunnelGUE:
		n += 12
	case ipvsctl.TunnelGRE:
		n += 4
	}
	return n
}

// lookTunnels is about packets that are too long for a tunnel. The kernel tells the client so,
// as long as pmtu_disc is on; otherwise it fragments, or drops what must not be.
func lookTunnels(c *Case) (r Result) {
	needed := false
	done := make(map[netip.Addr]bool)
	for _, s := range c.servings() {
		v, way := c.routerOf(s.service), c.Ways[s.server]
		if s.Forward != ipvsctl.Tunnel || v == nil || way.Interface == "" || done[s.server] {
			continue
		}
		done[s.server], needed = true, true
		outside, inside := c.MTU[v.Interface], c.MTU[way.Interface]
		if outside > 0 && inside > 0 && inside < outside+overhead(s) && c.Machine.Settings[machine.IPVS(pmtu)] == "0" {
			r.wrong("real server "+s.server.String(), persist(machine.IPVS(pmtu), "1")+", or raise the MTU between director and servers", []Fix{{Setting: machine.IPVS(pmtu), Value: "1"}},
				"clients' packets of %d bytes do not fit into the tunnel to real server %v (MTU %d, %d for its headers), and nobody tells them", outside, s.server, inside, overhead(s))
		}
	}
	if !needed {
		return needless("no virtual service uses tunnels")
	}
	return r.judged()
}

func lookAdvertsFiltered(c *Case) (r Result) {
	if len(c.Config.Routers) == 0 {
		return needless("there is no virtual router")
	}
	four, six := false, false
	for i := range c.Config.Routers {
		if c.Config.Routers[i].Family() == 6 {
			six = true
		} else {
			four = true
		}
	}
	return c.filtered(adverts, four, six, "the other director's adverts, so both become Master", "let protocol 112 (vrrp) in from the other directors: ip protocol vrrp accept, or meta l4proto vrrp accept")
}

func lookSyncFiltered(c *Case) Result {
	if c.Config.Director.Sync.Router == "" {
		return needless("connection_sync is not configured")
	}
	port := syncMessages
	if p := c.Config.Director.Sync.Port; p != 0 {
		port.port = p
	}
	return c.filtered(port, true, false, "what the Master tells of connections, so a takeover breaks them", "let the port of connection_sync in from the other directors: udp dport 8848 accept")
}

// filtered judges whether the packet filters let something in, by IPv4 and IPv6.
func (c *Case) filtered(k kind, four, six bool, what, remedy string) (r Result) {
	if c.Filters == nil {
		return unknown(c.Unfiltered)
	}
	open := false
	for i := range c.Filters {
		chain := &c.Filters[i]
		if chain.Family == "ip" && !four || chain.Family == "ip6" && !six {
			continue
		}
		switch chain.lets(k) {
		case no:
			r.wrong("chain "+chain.Name, remedy, nil, "chain %q of nftables drops %s", chain.Name, what)
		case perhaps:
			open = true
		}
	}
	if open && len(r.Wrongs) == 0 {
		return unknown("the rules of nftables depend on more than the protocol and the port")
	}
	return r.judged()
}

// lookSnooping is about a switch between the directors that passes multicast only to those of
// whom it knows that they listen, and that nobody has ask them: after some minutes neither
// hears the other's adverts, and both are Master, although everything else passes. Bridges of
// Linux pass multicast as long as nobody asks.
func lookSnooping(c *Case) (r Result) {
	multicast, open := false, ""
	for i := range c.Config.Routers {
		v := &c.Config.Routers[i]
		if len(v.Peers) > 0 {
			continue
		}
		multicast = true
		seen, known := c.Routers[v.Name]
		switch {
		case !known:
			open = "what adverts it hears is the daemon's to say: " + c.Silent
		case seen.State == api.Backup: // It hears the Master.
		case seen.State != api.Master:
			open = fmt.Sprintf("virtual router %q does not run", v.Name)
		case v.Family() == 6:
			open = "a Master cannot ask by IPv6 who else is one"
		case len(seen.Peers) == 0 && slices.ContainsFunc(v.Addresses, func(p netip.Prefix) bool { return len(c.Heard[p.Addr()]) > 0 }):
			open = "somebody else has an address too, and this director has heard no other one yet: see what lvsd doctor says there"
		default:
			c.contested(&r, v, seen)
		}
	}
	if !multicast {
		return needless("no virtual router multicasts its adverts")
	}
	if open != "" && len(r.Wrongs) == 0 {
		return unknown(open)
	}
	return r.judged()
}

// contested says so where a director that was heard once has the addresses of a Master too, and
// answers from its own.
func (c *Case) contested(r *Result, v *vrrp.Config, seen api.Router) {
	for _, p := range seen.Peers {
		if p.Age < Silence(seen) || p.Refused != "" {
			continue
		}
		for _, a := range v.Addresses {
			if mac := common(c.Heard[p.Address], c.Heard[a.Addr()]); mac != "" {
				r.wrong(fmt.Sprintf("virtual router %q", v.Name), "write peers in the virtual_router of both directors, so that adverts are sent by unicast; or have a switch of that network ask who listens (an IGMP querier)", nil,
					"both directors are Master of virtual router %q: %v (MAC %s) has %v too and can be reached, but no advert of it has been heard for %v: a switch between them holds multicast back (IGMP snooping without a querier), or a packet filter does", v.Name, p.Address, mac, a.Addr(), p.Age.Round(time.Second))
				break
			}
		}
	}
}

// Silence is for how long adverts of another director must be missing before it counts as silent.
func Silence(seen api.Router) time.Duration {
	return time.Duration(seen.MissedAdverts+1) * seen.Interval
}

// common returns what is in both lists; empty: nothing.
func common(a, b []string) string {
	if i := slices.IndexFunc(a, func(s string) bool { return slices.Contains(b, s) }); i >= 0 {
		return a[i]
	}
	return ""
}
