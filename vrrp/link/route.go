package link

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/lvsd/lvsd/vrrp"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

var routeTypes = map[vrrp.RouteType]int{"": unix.RTN_UNICAST, vrrp.Blackhole: unix.RTN_BLACKHOLE, vrrp.Unreachable: unix.RTN_UNREACHABLE, vrrp.Prohibit: unix.RTN_PROHIBIT}

// holdRoutes makes it so that routes are there. It adds them: what is there already is
// told by the kernel's refusal, however many routes there are beside it.
func (l *Link) holdRoutes(routes []vrrp.Route) (added, missing []vrrp.Route, err error) {
	err = l.verify(routes)
	errs := []error{err}
	for _, r := range routes {
		wanted, err := l.route(r)
		isNew := false
		if err == nil {
			isNew, err = l.holdRoute(r, wanted)
		}
		if err != nil {
			missing = append(missing, r)
			errs = append(errs, fmt.Errorf("adding %s: %w", r, err))
			continue
		}
		if isNew {
			added = append(added, r)
		}
	}
	return added, missing, errors.Join(errs...)
}

// holdRoute makes it so that a route is there; one of ours may be there already.
func (l *Link) holdRoute(r vrrp.Route, wanted *netlink.Route) (added bool, err error) {
	at := placeOf(wanted)
	refused := l.routes.RouteAdd(wanted)
	switch {
	case refused == nil:
		l.added(at, r)
		return true, nil
	case errors.Is(refused, unix.EEXIST) && l.routed[at] == r:
		return false, nil
	}
	own, err := l.census.routes(l.routes)
	if err != nil {
		return false, err
	}
	i := slices.IndexFunc(own, func(o netlink.Route) bool { return placeOf(&o) == at })
	switch {
	case i >= 0 && alike(wanted, &own[i]):
		l.routed[at] = r
		return false, nil
	case i >= 0:
		// As it was configured before.
		if err := l.routes.RouteDel(&own[i]); err != nil && !errors.Is(err, unix.ESRCH) {
			return false, err
		}
		if refused = l.routes.RouteAdd(wanted); refused == nil {
			l.added(at, r)
			return true, nil
		}
	}
	if errors.Is(refused, unix.EEXIST) {
		return false, l.obstacles.inTheWay(at, wanted)
	}
	return false, refused
}

// added notes that a route of ours has been added.
func (l *Link) added(at place, r vrrp.Route) {
	l.routed[at], l.census.stale = r, true
	delete(l.obstacles, at)
}

// verify forgets those routes of ours that are not as they were added: somebody has put
// another one in their place, which keeps ours from being added as well as ours would.
func (l *Link) verify(routes []vrrp.Route) error {
	if len(routes) == 0 || len(l.routed) == 0 || time.Now().Before(l.census.again) {
		return nil
	}
	own, err := l.census.routes(l.routes)
	if err != nil {
		return err
	}
	for at, r := range l.routed {
		k, err := l.route(r)
		if err == nil && !slices.ContainsFunc(own, func(o netlink.Route) bool { return alike(k, &o) }) {
			delete(l.routed, at)
		}
	}
	return nil
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
		l.census.stale = true
	}
	return removed, errors.Join(errs...)
}

// route is a route as it is given to the kernel.
func (l *Link) route(r vrrp.Route) (*netlink.Route, error) {
	k := &netlink.Route{
		Dst: ipNet(r.Destination), Family: netlink.FAMILY_V4, Protocol: RouteProtocol,
		Type: routeTypes[r.Type], Table: int(r.Table), Priority: int(r.Metric), Scope: netlink.Scope(r.Scope),
		MTU: int(r.MTU), AdvMSS: int(r.AdvertisedMSS), Hoplimit: int(r.HopLimit), Window: int(r.Window),
	}
	if r.Destination.Addr().Is6() {
		k.Family, k.Priority, k.Scope = netlink.FAMILY_V6, cmp.Or(k.Priority, vrrp.Metric6), 0
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

// SweepAll removes the addresses, routes and rules of ours where no Link runs.
func SweepAll() error {
	l, err := Open()
	if err != nil {
		return err
	}
	defer l.asking.close()
	return l.Sweep(vrrp.Holdings{})
}

// Sweep removes the addresses, routes and rules of ours but for these: an earlier process
// has left them.
func (l *Link) Sweep(keep vrrp.Holdings) error {
	var wanted []*netlink.Route
	for _, r := range keep.Routes {
		if k, err := l.route(r); err == nil {
			wanted = append(wanted, k)
		}
	}
	l.census.stale = true
	there, err := l.census.routes(l.routes)
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
	return errors.Join(append(errs, l.sweepRules(keep.Rules), l.sweepAddresses(keep.Addresses))...)
}
