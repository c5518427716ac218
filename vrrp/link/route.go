package link

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"

	"github.com/lvsd/lvsd/vrrp"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// RouteProtocol is noted by the kernel with every route and rule of ours
// (rtm_protocol, FRA_PROTOCOL), as VRRP's IP protocol number, which nobody else has in
// iproute2's rt_protos: what has it is ours, also after a crash, and nothing else is
// ever removed.
const RouteProtocol = vrrp.Protocol

// The kernel's default metric of IPv6 routes (IP6_RT_PRIO_USER of
// include/uapi/linux/ipv6_route.h).
const metric6 = 1024

var routeTypes = map[vrrp.RouteType]int{"": unix.RTN_UNICAST, vrrp.Blackhole: unix.RTN_BLACKHOLE, vrrp.Unreachable: unix.RTN_UNREACHABLE, vrrp.Prohibit: unix.RTN_PROHIBIT}

// holdRoutes makes it so that routes are there. They were added before, or they are
// added now.
func (l *Link) holdRoutes(routes []vrrp.Route) (added, missing []vrrp.Route, err error) {
	if len(routes) == 0 {
		return nil, nil, nil
	}
	there, err := l.ownRoutes()
	if err != nil {
		return nil, routes, err
	}
	var errs []error
	for _, r := range routes {
		wanted, err := l.route(r)
		isNew := false
		if err == nil {
			isNew, err = l.holdRoute(wanted, there)
		}
		if err != nil {
			missing = append(missing, r)
			errs = append(errs, fmt.Errorf("adding %s: %w", r, err))
			continue
		}
		l.routed[placeOf(wanted)] = r
		if isNew {
			added = append(added, r)
		}
	}
	return added, missing, errors.Join(errs...)
}

// holdRoute makes it so that a route is there; of ours, those are there already.
func (l *Link) holdRoute(wanted *netlink.Route, there []netlink.Route) (added bool, err error) {
	for i := range there {
		switch o := &there[i]; {
		case alike(wanted, o):
			return false, nil
		case placeOf(wanted) == placeOf(o):
			// As it was configured before.
			if err := l.routes.RouteDel(o); err != nil && !errors.Is(err, unix.ESRCH) {
				return false, err
			}
		}
	}
	err = l.routes.RouteAdd(wanted)
	if !errors.Is(err, unix.EEXIST) {
		return err == nil, err
	}
	return false, l.inTheWay(wanted)
}

// inTheWay returns why a route that somebody else has added is not as good as the
// wanted one; nil: it is the same, and stays when ours would go.
func (l *Link) inTheWay(wanted *netlink.Route) error {
	all, err := whole(func() (found []netlink.Route, err error) {
		// A table may have a million routes, and this process locks its memory.
		err = l.routes.RouteListFilteredIter(wanted.Family, &netlink.Route{Table: wanted.Table}, netlink.RT_FILTER_TABLE, func(r netlink.Route) bool {
			if placeOf(&r) == placeOf(wanted) {
				found = append(found, r)
			}
			return len(found) == 0
		})
		return found, err
	})
	switch {
	case err != nil:
		return err
	case len(all) == 0:
		return unix.EEXIST
	case alike(wanted, &all[0]):
		return nil
	}
	return fmt.Errorf("there is another one already, which is not lvsd's (%s): remove that one, or write another metric", shown(&all[0]))
}

// shown is where a route leads.
func shown(r *netlink.Route) string {
	text := "to the same destination"
	if r.Gw != nil {
		text = "via " + r.Gw.String()
	}
	return fmt.Sprintf("%s, protocol %s", text, r.Protocol)
}

// releaseRoutes makes it so that routes are not there. Those of an interface that does
// not exist went with it, and one that another has replaced went then. The kernel would
// take that other one for it: what it is not told of a route may be anything.
func (l *Link) releaseRoutes(routes []vrrp.Route) (removed []vrrp.Route, err error) {
	var errs []error
	for _, r := range routes {
		unwanted, err := l.route(r)
		if err != nil {
			continue
		}
		at := placeOf(unwanted)
		if is, held := l.routed[at]; held && is != r {
			continue
		}
		switch err := l.routes.RouteDel(unwanted); {
		case err == nil:
			removed = append(removed, r)
		case !errors.Is(err, unix.ESRCH) && !errors.Is(err, unix.ENODEV):
			errs = append(errs, fmt.Errorf("removing %s: %w", r, err))
			continue
		}
		delete(l.routed, at)
	}
	return removed, errors.Join(errs...)
}

// ownRoutes lists the routes of ours in all tables. The kernel picks them out.
func (l *Link) ownRoutes() ([]netlink.Route, error) {
	all, err := whole(func() ([]netlink.Route, error) {
		return l.routes.RouteListFiltered(netlink.FAMILY_ALL, &netlink.Route{Protocol: RouteProtocol}, netlink.RT_FILTER_PROTOCOL|netlink.RT_FILTER_TABLE)
	})
	if err != nil {
		return nil, fmt.Errorf("listing routes: %w", err)
	}
	return all, nil
}

// route is a route as it is given to the kernel.
func (l *Link) route(r vrrp.Route) (*netlink.Route, error) {
	k := &netlink.Route{
		Dst: ipNet(r.Destination), Family: netlink.FAMILY_V4, Protocol: RouteProtocol,
		Type: routeTypes[r.Type], Table: int(r.Table), Priority: int(r.Metric), Scope: netlink.Scope(r.Scope),
	}
	if r.Destination.Addr().Is6() {
		k.Family, k.Priority, k.Scope = netlink.FAMILY_V6, cmp.Or(k.Priority, metric6), 0
	}
	if r.Via.IsValid() {
		k.Gw = r.Via.AsSlice()
	}
	if r.Source.IsValid() {
		k.Src = r.Source.AsSlice()
	}
	if r.OnLink {
		k.Flags = int(netlink.FLAG_ONLINK)
	}
	if r.Interface != "" {
		d := l.view.Load().devices[r.Interface]
		if d == nil {
			return nil, fmt.Errorf("interface %s does not exist", r.Interface)
		}
		k.LinkIndex = d.index
	}
	return k, nil
}

func placeOf(r *netlink.Route) place {
	return place{prefix(r.Dst), cmp.Or(r.Table, unix.RT_TABLE_MAIN), r.Priority}
}

// alike reports whether a route of the kernel's is as it is wanted. Where no interface
// is wanted, any is right, and a route that leads nowhere has none.
func alike(wanted, o *netlink.Route) bool {
	if placeOf(wanted) != placeOf(o) || wanted.Type != cmp.Or(o.Type, unix.RTN_UNICAST) {
		return false
	}
	return wanted.Type != unix.RTN_UNICAST ||
		(wanted.LinkIndex == 0 || wanted.LinkIndex == o.LinkIndex) && wanted.Gw.Equal(o.Gw) && wanted.Src.Equal(o.Src) &&
			wanted.Scope == o.Scope && (wanted.Flags^o.Flags)&int(netlink.FLAG_ONLINK) == 0
}

// holdRules makes it so that rules are there.
func (l *Link) holdRules(rules []vrrp.Rule) (added, missing []vrrp.Rule, err error) {
	if len(rules) == 0 {
		return nil, nil, nil
	}
	there, err := l.ownRules()
	errs := []error{err}
	for _, r := range rules {
		if slices.Contains(there, ruleOf(rule(r))) {
			continue
		}
		// One that somebody else has added is another one, since it has another
		// protocol.
		err := l.netlink.RuleAdd(rule(r))
		switch {
		case err == nil:
			added = append(added, r)
			continue
		case errors.Is(err, unix.EEXIST):
			err = errors.New("the kernel takes it for another one of that priority and table, which is for fewer packets: write another priority")
		}
		missing = append(missing, r)
		errs = append(errs, fmt.Errorf("adding %s: %w", r, err))
	}
	return added, missing, errors.Join(errs...)
}

// releaseRules makes it so that rules are not there. The kernel removes the first one that
// fits, and takes what it is not told for any: others that it takes are put back.
func (l *Link) releaseRules(rules []vrrp.Rule) (removed []vrrp.Rule, err error) {
	if len(rules) == 0 {
		return nil, nil
	}
	there, err := l.ownRules()
	if err != nil {
		return nil, err
	}
	var errs []error
	for _, r := range rules {
		i := slices.Index(there, ruleOf(rule(r)))
		if i < 0 {
			continue
		}
		taken := slices.DeleteFunc(slices.Clone(there[:i]), func(o vrrp.Rule) bool { return !fits(there[i], o) })
		there = append(slices.DeleteFunc(slices.Delete(there, i, i+1), func(o vrrp.Rule) bool { return slices.Contains(taken, o) }), taken...)
		if err := l.removeRule(r, len(taken)+1); err != nil {
			errs = append(errs, fmt.Errorf("removing %s: %w", r, err))
		} else {
			removed = append(removed, r)
		}
		_, _, err := l.holdRules(taken)
		errs = append(errs, err)
	}
	return removed, errors.Join(errs...)
}

// removeRule removes that many rules, of which it is the last one.
func (l *Link) removeRule(r vrrp.Rule, n int) error {
	for range n {
		if err := l.netlink.RuleDel(rule(r)); err != nil && !errors.Is(err, unix.ENOENT) {
			return err
		}
	}
	return nil
}

// fits reports whether a rule is one that the kernel takes for another when it is told
// to remove that (rule_find in net/core/fib_rules.c).
func fits(r, o vrrp.Rule) bool {
	return r.Family == o.Family && r.Priority == o.Priority && r.Table == o.Table &&
		(!r.From.IsValid() || r.From == o.From) && (!r.To.IsValid() || r.To == o.To) &&
		(r.In == "" || r.In == o.In) && (r.Out == "" || r.Out == o.Out) &&
		(r.Mark == 0 || r.Mark == o.Mark) && (r.Mask == 0 || r.Mask == o.Mask)
}

// ownRules lists the rules of ours, in the kernel's order.
func (l *Link) ownRules() (own []vrrp.Rule, err error) {
	for _, family := range [...]int{netlink.FAMILY_V4, netlink.FAMILY_V6} {
		all, err := whole(func() ([]netlink.Rule, error) { return l.netlink.RuleList(family) })
		if err != nil {
			return nil, fmt.Errorf("listing rules: %w", err)
		}
		for i := range all {
			if all[i].Protocol == RouteProtocol {
				own = append(own, ruleOf(&all[i]))
			}
		}
	}
	return own, nil
}

// rule is a rule as it is given to the kernel.
func rule(r vrrp.Rule) *netlink.Rule {
	k := netlink.NewRule()
	k.Family, k.Priority, k.Table, k.Protocol = netlink.FAMILY_V4, int(r.Priority), int(r.Table), RouteProtocol
	if r.Family == 6 {
		k.Family = netlink.FAMILY_V6
	}
	if r.From.IsValid() {
		k.Src = ipNet(r.From)
	}
	if r.To.IsValid() {
		k.Dst = ipNet(r.To)
	}
	k.IifName, k.OifName = r.In, r.Out
	if r.Mask != 0 {
		k.Mark, k.Mask = r.Mark, &r.Mask
	}
	return k
}

// Sweep removes the routes and rules of ours but for these: an earlier process has left
// them.
func (l *Link) Sweep(keep vrrp.Holdings) error {
	var wanted []*netlink.Route
	for _, r := range keep.Routes {
		if k, err := l.route(r); err == nil {
			wanted = append(wanted, k)
		}
	}
	there, err := l.ownRoutes()
	errs := []error{err}
	for i := range there {
		o := &there[i]
		if slices.ContainsFunc(wanted, func(k *netlink.Route) bool { return placeOf(k) == placeOf(o) }) {
			continue
		}
		if err := l.routes.RouteDel(o); err != nil && !errors.Is(err, unix.ESRCH) {
			errs = append(errs, fmt.Errorf("removing the route to %s: %w", placeOf(o).destination, err))
		}
	}
	return errors.Join(append(errs, l.sweepRules(keep.Rules))...)
}

func (l *Link) sweepRules(keep []vrrp.Rule) error {
	there, err := l.ownRules()
	if err != nil {
		return err
	}
	kept := func(r vrrp.Rule) bool {
		return slices.ContainsFunc(keep, func(k vrrp.Rule) bool { return ruleOf(rule(k)) == r })
	}
	_, err = l.releaseRules(slices.DeleteFunc(there, kept))
	return err
}

// ruleOf is a rule of the kernel's as vrrp has it. It tells no network that is all.
func ruleOf(k *netlink.Rule) vrrp.Rule {
	r := vrrp.Rule{Family: 4, Priority: uint32(k.Priority), Table: uint32(k.Table), In: k.IifName, Out: k.OifName}
	if from := prefix(k.Src); from.Bits() > 0 {
		r.From = from
	}
	if to := prefix(k.Dst); to.Bits() > 0 {
		r.To = to
	}
	if k.Family == netlink.FAMILY_V6 {
		r.Family = 6
	}
	if k.Mask != nil {
		r.Mark, r.Mask = k.Mark, *k.Mask
	}
	return r
}

// prefix is a network of the kernel's; invalid: there is none.
func prefix(n *net.IPNet) netip.Prefix {
	if n == nil {
		return netip.Prefix{}
	}
	a, _ := netip.AddrFromSlice(n.IP)
	if len(n.Mask) == net.IPv4len {
		a = a.Unmap()
	}
	ones, _ := n.Mask.Size()
	return netip.PrefixFrom(a, ones)
}
