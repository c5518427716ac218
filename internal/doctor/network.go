package doctor

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/lvsd/lvsd/internal/machine"
	"github.com/lvsd/lvsd/ipvsctl"
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

// lookSnooping is about bridges of this machine: one that learns who listens to a group, and
// whom nobody asks, forgets it after some minutes.
func lookSnooping(c *Case) (r Result) {
	multicast := false
	for i := range c.Config.Routers {
		v := &c.Config.Routers[i]
		if len(v.Peers) > 0 {
			continue
		}
		multicast = true
		for _, b := range c.Bridges {
			if b.Snooping && !b.Querier && (b.Name == v.Interface || slices.Contains(b.Ports, v.Interface)) {
				r.wrong("bridge "+b.Name, "have the bridge ask (ip link set "+b.Name+" type bridge mcast_querier 1), or write peers in the virtual_router", nil,
					"bridge %s passes adverts of virtual router %q to those only who said that they listen, and nobody asks them: after some minutes the other directors hear none", b.Name, v.Name)
			}
		}
	}
	if !multicast {
		return needless("no virtual router multicasts its adverts")
	}
	if len(c.Bridges) == 0 {
		return unknown("switches outside this machine cannot be asked: if adverts stop after minutes, write peers in the virtual_router")
	}
	return r.judged()
}
