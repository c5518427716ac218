package vrrp

import (
	"net/netip"
	"slices"
)

// keepalivedHops is the hop limit with which keepalived 2.2.7 sends to peers of IPv6 where
// it is not told another: the kernel's for all packets.
const keepalivedHops = 64

// checkSource refuses an advert that no director of this virtual router can have
// sent. With peers, only theirs are accepted, from wherever, and they send to this
// director alone. Otherwise the source is the primary address of an interface on
// the same network (RFC 9568 sections 5.1.1.1 and 5.1.2.1).
func (r *Router) checkSource(src, dst netip.Addr, ttl int) error {
	c, peers := &r.c, len(r.c.Peers) > 0
	var err error
	switch {
	case peers && dst.IsMulticast():
		_, err = refuse(ReasonDestination, "it was multicast, but peers are configured, who send to this director alone: configure peers on both directors or on neither")
	case peers && !slices.ContainsFunc(c.Peers, func(p netip.Addr) bool { return plain(p) == src }):
		_, err = refuse(ReasonNotPeer, "the address is not among this router's peers: add it there if it is the other director's")
	case ttl == keepalivedHops && ttl < c.minTTL() && peers && src.Is6():
		_, err = refuse(ReasonTTL, "it arrived with hop limit %d, but min_ttl is %d: keepalived sends to peers of IPv6 so, unless it has unicast_ttl 255; set that there, or min_ttl = %[1]d here", ttl, c.minTTL())
	case ttl < c.minTTL() && peers:
		_, err = refuse(ReasonTTL, "it arrived with TTL %d, but min_ttl is %d: if routers are between the directors, each of which takes 1 from 255, set min_ttl = %[1]d", ttl, c.minTTL())
	case ttl > c.maxTTL():
		_, err = refuse(ReasonTTL, "it arrived with TTL %d, but max_ttl is %d: it has not passed the routers that are between the directors", ttl, c.maxTTL())
	case peers:
	case ttl != TTL:
		_, err = refuse(ReasonTTL, "TTL %d instead of %d: the packet does not come from this network", ttl, TTL)
	case dst != c.group():
		_, err = refuse(ReasonDestination, "it was multicast to %s, but this router's group is %s: configure the same multicast_group on both directors", dst, c.group())
	case src.IsUnspecified() || src.IsMulticast() || src.IsLoopback():
		_, err = refuse(ReasonSource, "its source cannot be the address of a director")
	case src.Is6() && !src.IsLinkLocalUnicast() && !(c.Source.IsValid() && !c.Source.IsLinkLocalUnicast()):
		_, err = refuse(ReasonSource, "its source is not a link-local address")
	case !onNetwork(src, r.networks):
		_, err = refuse(ReasonSource, "its source is not the address of a host on a network of interface %s", c.Interface)
	}
	return err
}

// onNetwork reports whether an address can be a host's on one of the networks,
// neither the network's own one nor its broadcast address. Where an interface has
// no network but single addresses, nothing is known of its neighbours.
func onNetwork(a netip.Addr, networks []netip.Prefix) bool {
	known := false
	for _, n := range networks {
		if n.Addr().Is4() != a.Is4() || n.IsSingleIP() {
			continue
		}
		known = true
		if n.Contains(a) && !(a.Is4() && n.Bits() < 31 && (a == n.Masked().Addr() || a == broadcastOf(n))) {
			return true
		}
	}
	return !known
}

// broadcastOf is the last address of an IPv4 network.
func broadcastOf(n netip.Prefix) netip.Addr {
	b := n.Masked().Addr().As4()
	for i := n.Bits(); i < 32; i++ {
		b[i/8] |= 0x80 >> (i % 8)
	}
	return netip.AddrFrom4(b)
}
