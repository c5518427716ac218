package vrrp

import (
	"slices"
	"time"
)

// minLease is the shortest lease of an address: the kernel looks for those that
// have ended at intervals of some seconds.
const minLease = 4 * time.Second

// Holdings are what a director has while it is Master of a virtual router. They
// are one value, wanted whole: a Master wants these, everybody else wants none,
// and whoever sets them makes the kernel agree.
type Holdings struct {
	Addresses []InterfaceAddress
	// Lease is how long the kernel keeps them after they were held last; zero:
	// for ever.
	Lease time.Duration
}

// holdings are what the router wants as Master.
func (r *Router) holdings() Holdings {
	var h Holdings
	for _, p := range r.c.Addresses {
		h.Addresses = append(h.Addresses, InterfaceAddress{r.c.Interface, p})
	}
	h.Addresses = append(h.Addresses, r.c.Extra...)
	if r.c.Lease {
		h.Lease = max(minLease, 2*r.election.masterDown(&r.c))
	}
	return h
}

func (h Holdings) empty() bool { return len(h.Addresses) == 0 }

// same reports whether both are of the same things, for however long.
func (h Holdings) same(o Holdings) bool { return slices.Equal(h.Addresses, o.Addresses) }

// without returns what is not in any of the others.
func (h Holdings) without(others ...Holdings) Holdings {
	left := Holdings{Lease: h.Lease}
	for _, a := range h.Addresses {
		if !slices.ContainsFunc(others, func(o Holdings) bool { return slices.Contains(o.Addresses, a) }) {
			left.Addresses = append(left.Addresses, a)
		}
	}
	return left
}
