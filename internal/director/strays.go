package director

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/machine"
	"github.com/lvsd/lvsd/internal/text"
	"github.com/lvsd/lvsd/vrrp"
)

// A fault is what is wrong with virtual addresses on another interface than their
// own.
type fault int

const (
	// exposed: clients may be sent here.
	exposed fault = iota
	// answered: they may, because of arp_ignore, and otherwise belong there.
	answered
	// needless: nobody is sent here, and nobody needs them.
	needless
)

// A stray is a group of virtual addresses of one router on an interface where lvsd
// neither adds nor removes them.
type stray struct {
	router string
	home   string // the interface where they belong
	at     string // where they are
	fault  fault
}

// strays finds virtual addresses on other interfaces than their own. The kernel
// answers ARP requests for the addresses of all its interfaces, so clients may be sent
// to this director while another one is Master. It must have an address of which it
// is a real server by direct routing or tunnelling, where nobody is asked for a
// neighbour (lo, a dummy, the end of a tunnel), and must not answer ARP requests for it.
func (all *findings) strays(c *config.Config, m machine.Facts, own map[netip.Addr]bool) {
	served, marked := unchanged(c.Services, own)
	homes := homes(c.Routers)
	ignore := make(map[string]uint32, len(m.Interfaces))
	for i := range m.Interfaces {
		ignore[m.Interfaces[i].Name] = m.Interfaces[i].ARPIgnore
	}
	found := make(map[stray][]netip.Prefix)
	for _, at := range m.Interfaces {
		for _, p := range at.Addresses {
			home, virtual := homes[p.Addr()]
			if !virtual || home.at == at.Name {
				continue
			}
			hidden := at.Quiet && (p.Addr().Is6() || hides(ignore[home.at]))
			needed := at.Quiet && (marked || served[p.Addr()])
			s := stray{home.router, home.at, at.Name, exposed}
			switch {
			case hidden && needed:
				continue
			case hidden:
				s.fault = needless
			case needed:
				s.fault = answered
			}
			found[s] = append(found[s], p)
		}
	}
	all.addStrays(found, ignore)
}

// addStrays adds a finding for each group of addresses.
func (all *findings) addStrays(found map[stray][]netip.Prefix, ignore map[string]uint32) {
	for _, s := range sortedStrays(found) {
		var names, commands []string
		for _, p := range found[s] {
			names = append(names, p.String())
			commands = append(commands, fmt.Sprintf("ip addr del %v dev %s", p, s.at))
		}
		router := fmt.Sprintf("virtual router %q", s.router)
		remove := fmt.Sprintf("remove it (%s), and let nothing add it again (systemd-networkd, ifupdown, cloud-init)", text.Few(commands))
		switch s.fault {
		case exposed:
			all.add(api.Error, "address-elsewhere", router+" "+s.at, remove,
				"%s is on %s, but %s has %s too, which lvsd leaves alone: this director answers for it even while another one is Master",
				router, s.home, s.at, text.Few(names))
		case answered:
			all.add(api.Error, "address-answered", router+" "+s.at, "set net.ipv4.conf.all.arp_ignore=1 and net.ipv4.conf.all.arp_announce=2 (sysctl -w, and in /etc/sysctl.d)",
				"%s: %s has %s, as a real server by direct routing or tunnelling must, but arp_ignore is %d on %s, so this director answers ARP requests for it even while another one is Master",
				router, s.at, text.Few(names), ignore[s.home], s.home)
		case needless:
			all.add(api.Warning, "address-elsewhere", router+" "+s.at, remove,
				"%s is on %s, but %s has %s too, which lvsd leaves alone, and this director is no real server of it by direct routing or tunnelling: what it sends there itself never reaches another Master",
				router, s.home, s.at, text.Few(names))
		}
	}
}

// sortedStrays returns the groups in an order that does not change.
func sortedStrays(found map[stray][]netip.Prefix) []stray {
	var all []stray
	for s := range found {
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b stray) int {
		return cmp.Or(cmp.Compare(a.router, b.router), cmp.Compare(a.at, b.at), cmp.Compare(a.home, b.home), cmp.Compare(a.fault, b.fault))
	})
	return all
}

// hides reports whether a value of arp_ignore keeps the machine from answering for
// an address that is on another interface than the request came to: 3 only looks at
// the address's scope, and 4 to 7 mean nothing (arp_ignore in net/ipv4/arp.c).
func hides(ignore uint32) bool { return ignore == 1 || ignore == 2 || ignore == 8 }

// A home is the router of a virtual address, and the interface where it belongs.
type home struct{ router, at string }

// homes returns where the virtual addresses belong.
func homes(routers []vrrp.Config) map[netip.Addr]home {
	all := make(map[netip.Addr]home)
	for i := range routers {
		r := &routers[i]
		for _, p := range r.Addresses {
			all[p.Addr()] = home{r.Name, r.Home()}
		}
		for _, e := range r.Extra {
			all[e.Prefix.Addr()] = home{r.Name, e.Interface}
		}
	}
	return all
}

// maxUnchanged bounds the addresses of one service that are looked at one by one.
const maxUnchanged = 256

// unchanged returns the addresses of services that hand packets unchanged to this
// director as a real server. A firewall mark does not tell which addresses it stands
// for: marked, it may be any.
func unchanged(services []config.Service, own map[netip.Addr]bool) (addresses map[netip.Addr]bool, marked bool) {
	addresses = make(map[netip.Addr]bool)
	for i := range services {
		if s := &services[i]; forwardsToSelf(s, func(a netip.Addr) bool { return own[a] }) {
			some := s.Addresses(maxUnchanged)
			for _, a := range some {
				addresses[a] = true
			}
			marked = marked || len(some) == 0
		}
	}
	return addresses, marked
}
