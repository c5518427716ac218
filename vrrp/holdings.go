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
	// Routes and Rules are there after the addresses, and gone before them.
	Routes []Route
	Rules  []Rule
	// Lease is how long the kernel keeps the addresses after they were held last;
	// zero: for ever. Of routes and rules the kernel knows no such thing.
	Lease time.Duration
	// Mute has the devices of virtual MACs send nothing, while what arrives for the
	// addresses is still answered.
	Mute bool
}

// Holdings are what a Master that is configured so has.
func (c *Config) Holdings() Holdings {
	h := Holdings{Attributes: c.Attributes, Routes: c.Routes, Rules: c.Rules}
	for _, p := range c.Addresses {
		h.Addresses = append(h.Addresses, InterfaceAddress{c.Home(), p})
	}
	h.Addresses = append(h.Addresses, c.Extra...)
	if c.Lease {
		h.Lease = c.lease()
	}
	return h
}

// lease is how long addresses outlive the processes of their Master.
func (c *Config) lease() time.Duration { return max(minLease, 2*c.masterDown(c.Interval)) }

func (h Holdings) empty() bool {
	return len(h.Addresses) == 0 && len(h.Routes) == 0 && len(h.Rules) == 0
}

// same reports whether both are of the same things, for however long.
func (h Holdings) same(o Holdings) bool {
	return slices.Equal(h.Addresses, o.Addresses) && maps.Equal(h.Attributes, o.Attributes) &&
		slices.Equal(h.Routes, o.Routes) && slices.Equal(h.Rules, o.Rules)
}

// with returns what is in either.
func (h Holdings) with(o Holdings) Holdings {
	h.Addresses = slices.Concat(h.Addresses, o.Addresses)
	h.Routes = slices.Concat(h.Routes, o.Routes)
	h.Rules = slices.Concat(h.Rules, o.Rules)
	return h
}

// without returns what is not in any of the others.
func (h Holdings) without(others ...Holdings) Holdings {
	h.Addresses = except(h.Addresses, others, func(o Holdings) []InterfaceAddress { return o.Addresses })
	h.Routes = except(h.Routes, others, func(o Holdings) []Route { return o.Routes })
	h.Rules = except(h.Rules, others, func(o Holdings) []Rule { return o.Rules })
	return h
}

// meets reports whether something is in both.
func (h Holdings) meets(o Holdings) bool {
	return common(h.Addresses, o.Addresses) || common(h.Routes, o.Routes) || common(h.Rules, o.Rules)
}

func common[T comparable](a, b []T) bool {
	return slices.ContainsFunc(a, func(v T) bool { return slices.Contains(b, v) })
}

// except returns what of a list is in none of the others' lists.
func except[T comparable](list []T, others []Holdings, of func(Holdings) []T) (left []T) {
	for _, v := range list {
		if !slices.ContainsFunc(others, func(o Holdings) bool { return slices.Contains(of(o), v) }) {
			left = append(left, v)
		}
	}
	return left
}

// paths are the routes and rules, of which nothing is seen on the interfaces.
func (h Holdings) paths() Holdings { return Holdings{Routes: h.Routes, Rules: h.Rules} }

// count is how many things there are.
func (h Holdings) count() int { return len(h.Addresses) + len(h.Routes) + len(h.Rules) }

// Names are all of them as text: "10.13.0.200/24 on eth0", "route 10.9.0.0/16 via …".
func (h Holdings) Names() []string {
	names := make([]string, 0, h.count())
	for _, a := range h.Addresses {
		names = append(names, fmt.Sprintf("%s on %s", a.Prefix, a.Interface))
	}
	for _, r := range h.Routes {
		names = append(names, r.String())
	}
	for _, r := range h.Rules {
		names = append(names, r.String())
	}
	return names
}

// maxListed bounds what is named in a line of the log.
const maxListed = 10

// String lists what there is for the log: addresses with their interfaces, routes
// and rules.
func (h Holdings) String() string {
	names := h.Names()
	text := strings.Join(names[:min(len(names), maxListed)], ", ")
	if more := len(names) - maxListed; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
