package config

import (
	"net/netip"
	"slices"

	"github.com/lvsd/lvsd/internal/block"
	"github.com/lvsd/lvsd/vrrp"
)

// placed judges the addresses of virtual routers by those that this machine has on
// its interfaces. It needs a configuration without mistakes.
type placed struct {
	report *block.Reports
	here   []vrrp.InterfaceAddress
	own    []vrrp.InterfaceAddress // see Machine.refusing
	// fixed are those of them that do not move and tell the network of an interface.
	fixed []vrrp.InterfaceAddress
	// virtual are the addresses of all routers, and at has their places.
	virtual map[netip.Addr]bool
	at      func(netip.Addr) block.Place
	// peerAt has the places of peers.
	peerAt func(netip.Addr) block.Place
}

// fix finds what is fixed, once virtual is known.
func (p *placed) fix() {
	for _, h := range p.here {
		a := h.Prefix.Addr()
		if !p.virtual[a] && !h.Prefix.IsSingleIP() && !a.IsLoopback() && !a.IsLinkLocalUnicast() {
			p.fixed = append(p.fixed, h)
		}
	}
}

// judge judges one router. Of an interface without addresses nothing is known:
// they may come.
func (p *placed) judge(c *vrrp.Config) {
	p.checkOwn(c)
	p.checkPeers(c)
	if !slices.ContainsFunc(p.here, func(h vrrp.InterfaceAddress) bool { return h.Interface == c.Interface }) {
		return
	}
	elsewhere := 0
	for _, a := range c.Addresses {
		if other := p.networkOf(a.Addr()); other != "" && other != c.Interface && !p.reaches(c.Interface, a.Addr()) {
			elsewhere++
		}
	}
	if n := len(c.Addresses); n > 0 && elsewhere == n {
		first := c.Addresses[0].Addr()
		other := p.networkOf(first)
		p.report.Doubt(p.at(first), "Adverts on another network", "The addresses are in the network of %s, but the adverts are sent and received on %s, so the directors do not notice when %s fails: write interface = %q, or make them extra_address blocks of a virtual router on %s.",
			other, c.Interface, other, other, c.Interface)
		return
	}
	for _, a := range c.Addresses {
		p.checkNetwork(c.Interface, a)
	}
	for _, x := range c.Extra {
		p.checkNetwork(x.Interface, x.Prefix)
	}
}

// checkOwn refuses a router that leaves its director no address of its own to send
// adverts from: it would have to give its own one away. The owner (priority 255, RFC
// 9568 section 6.1) keeps it.
func (p *placed) checkOwn(c *vrrp.Config) {
	if c.Source.IsValid() || c.Priority == ownerPriority {
		return
	}
	var all []netip.Prefix
	for _, h := range p.own {
		a := h.Prefix.Addr()
		if h.Interface == c.Interface && a.Is4() == (c.Family() == 4) && (a.Is4() || a.IsLinkLocalUnicast()) {
			all = append(all, h.Prefix)
		}
	}
	if len(all) == 0 || slices.ContainsFunc(all, func(h netip.Prefix) bool { return !p.virtual[h.Addr()] }) {
		return
	}
	i := slices.IndexFunc(c.Addresses, func(v netip.Prefix) bool {
		return slices.ContainsFunc(all, func(h netip.Prefix) bool { return h.Addr() == v.Addr() })
	})
	if i < 0 {
		return // Another router's.
	}
	own := c.Addresses[i].Addr()
	if len(all) == 1 {
		p.report.Mistake(p.at(own), "The director's own address", "%s is the only address of %s, and this director needs it to send adverts from. Write an address that no machine has or, if this director owns the address and is to keep it for good, priority = 255.", own, c.Interface)
		return
	}
	p.report.Mistake(p.at(own), "No address of its own", "All addresses of %s are virtual, so this director has none of its own to send adverts from: leave that one out.", c.Interface)
}

// checkPeers warns about a peer whose adverts arrive with a TTL that is not accepted.
func (p *placed) checkPeers(c *vrrp.Config) {
	if c.MinTTL < vrrp.TTL || !slices.ContainsFunc(p.fixed, func(h vrrp.InterfaceAddress) bool { return h.Interface == c.Interface }) {
		return
	}
	for _, a := range c.Peers {
		if a.Is4() && !p.reaches(c.Interface, a) {
			p.report.Doubt(p.peerAt(a), "Peer beyond a router", "%s is in no network of %s, so its adverts have passed a router and do not arrive with TTL 255: write min_ttl = 254, or 255 less the number of routers between the directors. Otherwise both are Master.", a, c.Interface)
			return
		}
	}
}

// checkNetwork warns about an address with a network of which its interface knows
// nothing.
func (p *placed) checkNetwork(name string, v netip.Prefix) {
	a := v.Addr()
	if a.IsLinkLocalUnicast() || p.reaches(name, a) {
		return
	}
	if other := p.networkOf(a); other != "" {
		p.report.Doubt(p.at(a), "Address of another network", "%s is in the network of %s, but it is added to %s, where no neighbour asks for it: correct the address or the interface.", a, other, name)
		return
	}
	var known []string
	wider := false // its own network has them
	for _, h := range p.here {
		if h.Interface == name && h.Prefix.Addr().Is4() == a.Is4() && !p.virtual[h.Prefix.Addr()] {
			known = append(known, h.Prefix.String())
			wider = wider || v.Contains(h.Prefix.Addr())
		}
	}
	if len(known) > 0 && !wider && !v.IsSingleIP() { // A single address may be routed here.
		p.report.Doubt(p.at(a), "Address of no network", "%s is in no network of %s, which has %s: correct it or, if clients reach it through a router, write %s.",
			a, name, block.Listed(known), netip.PrefixFrom(a, a.BitLen()))
	}
}

// reaches reports whether an address is in a network of an interface.
func (p *placed) reaches(name string, a netip.Addr) bool {
	return slices.ContainsFunc(p.fixed, func(h vrrp.InterfaceAddress) bool { return h.Interface == name && h.Prefix.Contains(a) })
}

// networkOf returns the interface in whose network an address is, if any.
func (p *placed) networkOf(a netip.Addr) string {
	for _, h := range p.fixed {
		if h.Prefix.Contains(a) {
			return h.Interface
		}
	}
	return ""
}
