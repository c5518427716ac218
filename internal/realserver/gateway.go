package realserver

import (
	"net/netip"
	"slices"

	"github.com/lvsd/lvsd/vrrp"
)

// moving are the addresses that a virtual router has always on the Master: those that are
// for networks behind it come first.
func moving(r *vrrp.Config) []netip.Addr {
	var all []netip.Addr
	for _, e := range r.Extra {
		all = append(all, e.Prefix.Addr())
	}
	for _, p := range r.Addresses {
		all = append(all, p.Addr())
	}
	return all
}

// moves reports whether an address is always on the Master.
func moves(routers []vrrp.Config, a netip.Addr) bool {
	return slices.ContainsFunc(routers, func(r vrrp.Config) bool { return slices.Contains(moving(&r), a) })
}

// gatewayOf returns the address in the network of a server, by the machine's own addresses,
// that is always on the Master: one of the virtual router that has an address of the service,
// if that has one. It is invalid if there is none.
func gatewayOf(routers []vrrp.Config, own []netip.Prefix, server netip.Addr, virtual []netip.Addr) (gateway netip.Addr) {
	for i := range routers {
		here := moving(&routers[i])
		same := slices.ContainsFunc(virtual, func(a netip.Addr) bool { return slices.Contains(here, a) })
		for _, a := range here {
			if (same || !gateway.IsValid()) && isNeighbour(own, server, a) {
				gateway = a
				break
			}
		}
		if same && gateway.IsValid() {
			return gateway
		}
	}
	return gateway
}

// isNeighbour reports whether an address is in a network in which this machine has another
// one.
func isNeighbour(own []netip.Prefix, server, a netip.Addr) bool {
	return a != server && slices.ContainsFunc(own, func(p netip.Prefix) bool { return p.Addr() == server && p.Contains(a) })
}
