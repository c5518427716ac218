package vrrp

import (
	"net/netip"
	"slices"
)

// findOwn notes the director's own address on a router's interface, which stays
// whatever becomes of the router, even if it is also one of its virtual addresses:
// the configured source, or else the only address of that family. That can be a
// virtual one only if it was found at the start: one that comes later is a stray, even
// where the director's own has not come yet, or has gone. An owner of the addresses
// (RFC 9568 section 6.1) keeps the one that was found first, also while it is gone for
// a moment, unless the interface has another one that is not virtual.
func (m *member) findOwn(i Interface, virtual map[netip.Addr]bool) {
	was := m.own
	if m.own = m.router.c.Source; m.own.IsValid() {
		return
	}
	var first netip.Addr
	count, fixed, there := 0, false, false
	for _, p := range i.Addresses {
		a := p.Addr()
		if a.Is4() != (m.key.Family == 4) {
			continue
		}
		if count++; count == 1 {
			first = a // The kernel lists the one first that was there first.
		}
		fixed, there = fixed || !virtual[a], there || a == was
		if count > 1 && fixed && !m.owner() {
			break // Nothing else counts, of hundreds.
		}
	}
	switch {
	case m.owner() && (there || !fixed && virtual[was]):
		m.own = was
	case m.owner() && !fixed && count > 0:
		m.own = first
	case count == 0:
		m.own = was // Until it is back.
	case count == 1 && !m.router.Holding() && (fixed || !m.inspected || first == was):
		m.own = first
	}
}

// isOwn reports whether an address is the director's own on the router's interface.
func (m *member) isOwn(a InterfaceAddress) bool {
	return a.Interface == m.key.Interface && a.Prefix.Addr() == m.own
}

// touched is what the router has as Master, without the director's own address.
func (m *member) touched() Holdings {
	h := m.router.holdings()
	h.Addresses = slices.DeleteFunc(slices.Clone(h.Addresses), m.isOwn)
	return h
}

// owner reports whether the router is configured as the owner of its addresses.
func (m *member) owner() bool { return m.router.priority == ownerPriority }

// found returns a router's addresses that are on their interfaces, with whatever
// prefix length, without the director's own one. Those of a virtual MAC may also be
// where they were before the router had one.
func (s *Session) found(m *member) []InterfaceAddress {
	places, c := m.router.holdings().Addresses, &m.router.c
	if c.Home() != c.Interface {
		for _, p := range c.Addresses {
			places = append(places, InterfaceAddress{c.Interface, p})
		}
	}
	var all []InterfaceAddress
	for _, a := range places {
		if m.isOwn(a) {
			continue
		}
		all = append(all, s.present.of(a)...)
	}
	return all
}

// single is an address whatever the length of its prefix.
func single(a InterfaceAddress) InterfaceAddress {
	return InterfaceAddress{a.Interface, netip.PrefixFrom(a.Prefix.Addr(), a.Prefix.Addr().BitLen())}
}

// removeLeftovers removes addresses that are there although their router does not
// hold them: somebody else added them, and two directors would answer for them.
func (s *Session) removeLeftovers() {
	held := make(map[InterfaceAddress]bool)
	for _, m := range s.members {
		if m.router.Holding() {
			for _, a := range m.router.holdings().Addresses {
				held[single(a)] = true
			}
		}
	}
	for _, m := range s.members {
		if m.router.Holding() || !m.inspected {
			continue
		}
		left := slices.DeleteFunc(s.found(m), func(a InterfaceAddress) bool { return held[single(a)] })
		if len(left) > 0 {
			s.worker.remove(m.key, m.router.c.Name, Holdings{Addresses: left})
		}
	}
}
