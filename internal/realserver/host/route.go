package host

import (
	"errors"
	"fmt"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/lvsd/lvsd/internal/realserver"
)

// protocol is by whom routes are, by the kernel's numbers (rtnetlink(7), rtm_protocol): those
// of lvsd's on real servers. iproute2's rt_protos gives it to nobody, and virtual routers have
// another one.
const protocol = 113

// A half is one of two networks that together are all there is. A route to each is before
// every default route, whatever its metric, so the machine's own one stays as it is.
type half struct {
	family int
	net    *net.IPNet
}

// halves are those of a family.
func halves(six bool) []half {
	family, bits := netlink.FAMILY_V4, 32
	if six {
		family, bits = netlink.FAMILY_V6, 128
	}
	upper := make(net.IP, bits/8)
	upper[0] = 0x80
	mask := net.CIDRMask(1, bits)
	return []half{{family, &net.IPNet{IP: make(net.IP, bits/8), Mask: mask}}, {family, &net.IPNet{IP: upper, Mask: mask}}}
}

// route is that to a half, by a gateway.
func (h half) route(gateway netip.Addr) *netlink.Route {
	r := &netlink.Route{Family: h.family, Dst: h.net, Protocol: protocol, Table: unix.RT_TABLE_MAIN}
	if gateway.IsValid() {
		r.Gw = gateway.AsSlice()
	}
	return r
}

// addRoutes adds the Routes, and the gateways of the machine's own default routes: of
// several, that of the least metric counts.
func addRoutes(f *realserver.Facts) error {
	for _, six := range []bool{false, true} {
		list, err := widest(halves(six)[0].family)
		if err != nil {
			return fmt.Errorf("listing this machine's routes: %w", err)
		}
		var ours []netip.Addr
		var own *netlink.Route
		for i := range list {
			r := &list[i]
			switch ones, _ := r.Dst.Mask.Size(); {
			case ones == 0 && (own == nil || r.Priority < own.Priority):
				own = r
			case ones == 1 && r.Protocol == protocol:
				ours = append(ours, addressOf(r.Gw))
			}
		}
		if own != nil && own.Gw != nil {
			f.Gateways = append(f.Gateways, addressOf(own.Gw))
		}
		switch {
		case len(ours) == 2 && ours[0] == ours[1]:
			f.Parts[realserver.DefaultRoute(six)] = ours[0].String()
		case len(ours) > 0:
			f.Parts[realserver.DefaultRoute(six)] = realserver.Incomplete
		}
	}
	return nil
}

// widest lists the routes of a family in the main table to all there is, or a half of it.
func widest(family int) (list []netlink.Route, err error) {
	for range 5 {
		list = nil
		err = netlink.RouteListFilteredIter(family, &netlink.Route{Table: unix.RT_TABLE_MAIN}, netlink.RT_FILTER_TABLE, func(r netlink.Route) bool {
			if ones, _ := r.Dst.Mask.Size(); ones <= 1 {
				list = append(list, r)
			}
			return true
		})
		if !errors.Is(err, netlink.ErrDumpInterrupted) { // Others change routes meanwhile.
			break
		}
	}
	if errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.EAFNOSUPPORT) {
		return nil, nil // This kernel has no such family.
	}
	return list, err
}

func addressOf(ip net.IP) netip.Addr {
	a, _ := netip.AddrFromSlice(ip)
	return a.Unmap()
}

// setRoutes adds a route to each half, or removes them.
func setRoutes(six bool, value string) error {
	var errs []error
	for _, h := range halves(six) {
		if err := netlink.RouteDel(h.route(netip.Addr{})); err != nil && !errors.Is(err, unix.ESRCH) {
			errs = append(errs, fmt.Errorf("removing the route to %v: %w", h.net, err))
		}
	}
	gateway, err := netip.ParseAddr(value)
	if err != nil || len(errs) > 0 {
		return errors.Join(errs...)
	}
	for _, h := range halves(six) {
		if err := netlink.RouteAdd(h.route(gateway)); err != nil {
			return errors.Join(refusedRoute(h, gateway, err), setRoutes(six, ""))
		}
	}
	return nil
}

// refusedRoute explains why a route cannot be added.
func refusedRoute(h half, gateway netip.Addr, err error) error {
	switch {
	case errors.Is(err, unix.EEXIST):
		return fmt.Errorf("somebody else, such as a VPN, has a route to %v: remove it, or see to the way to %v yourself: %w", h.net, gateway, err)
	case errors.Is(err, unix.ENETUNREACH) || errors.Is(err, unix.EHOSTUNREACH):
		return fmt.Errorf("%v is in no network that this machine reaches: is its interface up? %w", gateway, err)
	}
	return fmt.Errorf("adding the route to %v by way of %v: %w", h.net, gateway, err)
}
