package vrrp

import (
	"cmp"
	"slices"
	"strings"
)

// A presence is the addresses that are on the interfaces, as last seen, in the order of
// their interfaces: of a thousand, a map of each question would be 0.3 MB.
type presence []InterfaceAddress

// presenceOf are all addresses of the interfaces.
func presenceOf(interfaces map[string]Interface) presence {
	n := 0
	for _, i := range interfaces {
		n += len(i.Addresses)
	}
	all := make(presence, 0, n)
	for name, i := range interfaces {
		for _, p := range i.Addresses {
			all = append(all, InterfaceAddress{name, p})
		}
	}
	slices.SortFunc(all, func(a, b InterfaceAddress) int {
		return cmp.Or(a.compare(b), cmp.Compare(a.Prefix.Bits(), b.Prefix.Bits()))
	})
	return all
}

// compare compares addresses on interfaces, whatever the lengths of their prefixes.
func (a InterfaceAddress) compare(b InterfaceAddress) int {
	return cmp.Or(strings.Compare(a.Interface, b.Interface), a.Prefix.Addr().Compare(b.Prefix.Addr()))
}

// of are those of an address on its interface, with whatever lengths of their prefixes.
func (p presence) of(a InterfaceAddress) presence {
	first, _ := slices.BinarySearchFunc(p, a, InterfaceAddress.compare)
	end := first
	for end < len(p) && p[end].compare(a) == 0 {
		end++
	}
	return p[first:end]
}

// has reports whether an address is there with just this prefix.
func (p presence) has(a InterfaceAddress) bool { return slices.Contains(p.of(a), a) }
