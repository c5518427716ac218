package director

import (
	"iter"
	"net/netip"
	"slices"

	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/machine"
	"github.com/lvsd/lvsd/ipvsctl"
	"github.com/lvsd/lvsd/vrrp"
)

// eachForwarded yields the services and the real servers of the checks that ask at the
// virtual address, by way of IPVS.
func eachForwarded(services []config.Service) iter.Seq2[*config.Service, *config.Server] {
	return func(yield func(*config.Service, *config.Server) bool) {
		for w, check := range eachCheck(services) {
			if check.Forwarded && !yield(&services[w.service], &services[w.service].Servers[w.server]) {
				return
			}
		}
	}
}

// privateServices are what such checks have need of in the table: a service by firewall
// mark for each path to a server, whether it is up or not.
func privateServices(services []config.Service) ipvsctl.Table {
	var paths []ipvsctl.Path
	for s, server := range eachForwarded(services) {
		paths = append(paths, ipvsctl.PathTo(s.Key.Addr, server.Key.Addr, server.Destination))
	}
	return ipvsctl.PrivateServices(paths)
}

// answering are the real servers that answer such checks from a virtual address of IPv4.
func answering(services []config.Service) (servers []netip.Addr) {
	for s, server := range eachForwarded(services) {
		if s.Key.Addr.Is4() {
			servers = append(servers, server.Key.Addr)
		}
	}
	slices.SortFunc(servers, netip.Addr.Compare)
	return slices.Compact(servers)
}

// hearing adds the parameters with which this director hears what servers answer from
// virtual addresses while it has those itself, and takes it for forged otherwise. Was are
// parameters that lvsd has changed, as they were before.
func hearing(all map[machine.Setting]string, c *config.Config, m machine.Facts, was map[machine.Setting]string) {
	before := func(name string) map[machine.Setting]string {
		of := make(map[machine.Setting]string)
		for _, s := range []machine.Setting{machine.AcceptLocal("all"), machine.RPFilter("all"), machine.AcceptLocal(name), machine.RPFilter(name)} {
			of[s] = m.Settings[s]
			if value, changed := was[s]; changed {
				of[s] = value
			}
		}
		return of
	}
	type place struct {
		virtual netip.Addr
		name    string
	}
	known := make(map[place]bool)
	for s, server := range eachForwarded(c.Services) {
		at := place{s.Key.Addr, m.Outgoing[server.Key.Addr]}
		if !at.virtual.Is4() || at.name == "" || known[at] {
			continue
		}
		known[at] = true
		accept, strict := machine.Hears(before(at.name), at.name)
		if !accept {
			all[machine.AcceptLocal(at.name)] = "1"
		}
		if strict && !onInterface(c.Routers, m, at.virtual, at.name) {
			all[machine.RPFilter(at.name)] = "2"
		}
	}
}

// onInterface reports whether a virtual address is on an interface while this director
// has it.
func onInterface(routers []vrrp.Config, m machine.Facts, a netip.Addr, name string) bool {
	is := func(p netip.Prefix) bool { return p.Addr() == a }
	for i := range routers {
		r := &routers[i]
		if r.Home() == name && slices.ContainsFunc(r.Addresses, is) ||
			slices.ContainsFunc(r.Extra, func(e vrrp.InterfaceAddress) bool { return e.Interface == name && is(e.Prefix) }) {
			return true
		}
	}
	return slices.ContainsFunc(m.Interfaces, func(i machine.Interface) bool { return i.Name == name && i.Has(a) })
}
