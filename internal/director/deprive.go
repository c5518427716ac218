package director

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/lvsd/lvsd/vrrp"
)

// Deprived returns an error if one of the running routers would stand back for
// good, because after a reload it would need an interface that this machine does
// not have: a mistyped name would take its addresses away, on both directors. A
// router whose interface is missing already, or that is new, is not judged: it
// serves nobody, and waits for its interface.
func Deprived(running, next []vrrp.Config, interfaces []string) error {
	for i := range next {
		after := &next[i]
		before := predecessor(running, after)
		if before == nil || !slices.Contains(interfaces, before.Interface) {
			continue
		}
		had := needs(before)
		for _, name := range needs(after) {
			if !slices.Contains(interfaces, name) && !slices.Contains(had, name) {
				return fmt.Errorf("virtual_router %q would lose its addresses: it would need the interface %q, which this machine does not have (it has %s); correct the name, or create the interface first",
					after.Name, name, strings.Join(interfaces, ", "))
			}
		}
	}
	return nil
}

// predecessor returns the running router that a router of the next configuration
// replaces: that of its name, or else one that has an address of its; nil if none
// does.
func predecessor(running []vrrp.Config, next *vrrp.Config) *vrrp.Config {
	shares := func(r vrrp.Config) bool {
		return slices.ContainsFunc(r.Addresses, func(p netip.Prefix) bool {
			return slices.ContainsFunc(next.Addresses, func(q netip.Prefix) bool { return p.Addr() == q.Addr() })
		})
	}
	i := slices.IndexFunc(running, func(r vrrp.Config) bool { return r.Name == next.Name })
	if i < 0 {
		i = slices.IndexFunc(running, shares)
	}
	if i < 0 {
		return nil
	}
	return &running[i]
}

// needs returns the interfaces without which a router does not become Master.
func needs(c *vrrp.Config) []string {
	names := []string{c.Interface}
	for _, t := range c.Track {
		if name, ok := strings.CutPrefix(t.Condition, "interface "); ok && t.Weight == 0 && !t.Reverse {
			names = append(names, name)
		}
	}
	return names
}
