package vrrp

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
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
	// Attributes are those of the addresses that have any.
	Attributes map[netip.Addr]Attributes
	// Lease is how long the kernel keeps them after they were held last; zero:
	// for ever.
	Lease time.Duration
}

// holdings are what a Master that is configured so has.
func (c *Config) holdings() Holdings {
	h := Holdings{Attributes: c.Attributes}
	for _, p := range c.Addresses {
		h.Addresses = append(h.Addresses, InterfaceAddress{c.Interface, p})
	}
	h.Addresses = append(h.Addresses, c.Extra...)
	if c.Lease {
		h.Lease = c.lease()
	}
	return h
}

// lease is how long addresses outlive the processes of their Master.
func (c *Config) lease() time.Duration { return max(minLease, 2*c.masterDown(c.Interval)) }

func (h Holdings) empty() bool { return len(h.Addresses) == 0 }

// same reports whether both are of the same things, for however long.
func (h Holdings) same(o Holdings) bool {
	return slices.Equal(h.Addresses, o.Addresses) && maps.Equal(h.Attributes, o.Attributes)
}

// without returns what is not in any of the others.
func (h Holdings) without(others ...Holdings) Holdings {
	left := Holdings{Attributes: h.Attributes, Lease: h.Lease}
	for _, a := range h.Addresses {
		if !slices.ContainsFunc(others, func(o Holdings) bool { return slices.Contains(o.Addresses, a) }) {
			left.Addresses = append(left.Addresses, a)
		}
	}
	return left
}

// maxListed bounds the addresses in a line of the log.
const maxListed = 10

// String lists the addresses with their interfaces for the log.
func (h Holdings) String() string {
	names := make([]string, 0, maxListed)
	for _, a := range h.Addresses[:min(len(h.Addresses), maxListed)] {
		names = append(names, fmt.Sprintf("%s on %s", a.Prefix, a.Interface))
	}
	text := strings.Join(names, ", ")
	if more := len(h.Addresses) - maxListed; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
