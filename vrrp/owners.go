package vrrp

import (
	"net/netip"
	"slices"
)

// ownersOf are the routers of the members, in the order of their addresses.
func ownersOf(members map[routerKey]*member) []owner {
	all := make([]owner, 0, len(members))
	for _, m := range members {
		for _, a := range m.router.holdings().Addresses {
			all = append(all, owner{a.Prefix.Addr(), m})
		}
	}
	slices.SortFunc(all, func(a, b owner) int { return a.address.Compare(b.address) })
	return all
}

// owner returns the first router with an address of which something is true; nil: there is
// none.
func (s *Session) owner(address netip.Addr, is func(*member) bool) *member {
	at, _ := slices.BinarySearchFunc(s.owners, address, func(o owner, a netip.Addr) int { return o.address.Compare(a) })
	for _, o := range s.owners[at:] {
		if o.address != address {
			break
		}
		if is(o.of) {
			return o.of
		}
	}
	return nil
}
