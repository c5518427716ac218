package doctor

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/machine"
	"github.com/lvsd/lvsd/internal/realserver"
	"github.com/lvsd/lvsd/vrrp"
)

// lookRealServer is what "lvsd realserver check" says.
func lookRealServer(c *Case) (r Result) {
	if c.Unread != "" {
		return unknown(c.Unread)
	}
	for i := range c.Left {
		if change := &c.Left[i]; !change.GivesBack() {
			r.wrong(change.Part.String(), "lvsd realserver up, and at each boot by the unit lvsd-realserver", []Fix{{RealServer: true}}, "%s", missing(change))
		}
	}
	return r.judged()
}

// missing says what a change that was not made leaves wrong.
func missing(change *realserver.Change) string {
	part, was, services := change.Part.String(), change.From, strings.Join(change.Services, ", ")
	switch {
	case was == "" && change.To == realserver.Present:
		return part + " is not there, and " + services + " " + verb(len(change.Services), "needs", "need") + " it"
	case was == "":
		was = "not there"
	}
	return part + " is " + was + ", and should be " + change.To + " for " + services
}

// verb is the one that goes with so many.
func verb(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// lookTwice finds virtual addresses where none but lvsd's own should be.
func lookTwice(c *Case) (r Result) {
	if len(c.Config.Routers) == 0 {
		return needless("there is no virtual router")
	}
	for i := range c.Config.Routers {
		v := &c.Config.Routers[i]
		for _, p := range v.Addresses {
			for _, other := range c.elsewhere(p.Addr(), v.Interface, v.VirtualMAC.Device) {
				r.wrong(p.Addr().String(), "remove it there: only lvsd may add it", nil,
					"virtual address %v of virtual router %q is on interface %s, too: this director answers for it whether it is Master or not", p.Addr(), v.Name, other)
			}
		}
	}
	return r.judged()
}

// elsewhere returns the interfaces with an address that is for others. On one where nobody is
// asked for a neighbour it may be, for a real server that answers no ARP for it.
func (c *Case) elsewhere(a netip.Addr, own ...string) (names []string) {
	silent := slices.ContainsFunc(c.Machine.Interfaces, func(i machine.Interface) bool { return slices.Contains(own, i.Name) && i.ARPIgnore > 0 })
	for i := range c.Machine.Interfaces {
		link := &c.Machine.Interfaces[i]
		if link.Has(a) && !slices.Contains(own, link.Name) && !(link.Quiet && silent) {
			names = append(names, link.Name)
		}
	}
	return names
}

// lookAnswers is about who answers ARP for a virtual address: one machine, and none where this
// one has it.
func lookAnswers(c *Case) (r Result) {
	asked := false
	for i := range c.Config.Routers {
		v := &c.Config.Routers[i]
		for _, p := range v.Addresses {
			macs, known := c.Heard[p.Addr()]
			if !known {
				continue
			}
			asked = true
			has := slices.ContainsFunc(c.Machine.Interfaces, func(l machine.Interface) bool { return l.Has(p.Addr()) && !l.Quiet })
			const remedy = "find the machine by its MAC address: on a real server, lvsd realserver up; another director has lost this one's adverts"
			switch {
			case has && len(macs) > 0:
				r.wrong(p.Addr().String(), remedy, nil, "this director has %v, and %s answers for it on %s, too", p.Addr(), strings.Join(macs, " and "), v.Interface)
			case len(macs) > 1:
				r.wrong(p.Addr().String(), remedy, nil, "%s answer for %v on %s: clients reach one or the other by chance", strings.Join(macs, " and "), p.Addr(), v.Interface)
			}
		}
	}
	if !asked {
		return unknown("nobody could be asked for a virtual address (that needs CAP_NET_RAW, the interface up, and IPv4)")
	}
	return r.judged()
}

// otherAddresses is the daemon's finding that adverts of a virtual router's id have other
// addresses than it, within the last minute.
func otherAddresses(f *api.Finding, router string) bool {
	return f.Code == "adverts-disagree" && f.Subject == fmt.Sprintf("virtual router %q %s", router, vrrp.ReasonAddresses)
}

// lookIDs is about others with the id of one of this cluster's virtual routers: another
// cluster's directors, or a machine with keepalived whose configuration was copied.
func lookIDs(c *Case) (r Result) {
	switch {
	case len(c.Config.Routers) == 0:
		return needless("there is no virtual router")
	case c.Routers == nil:
		return unknown("what adverts this director hears is the daemon's to say: " + c.Silent)
	}
	for i := range c.Config.Routers {
		v := &c.Config.Routers[i]
		if !slices.ContainsFunc(c.Daemon, func(f api.Finding) bool { return otherAddresses(&f, v.Name) }) {
			continue
		}
		seen, follows := c.Routers[v.Name], ""
		from := seen.Senders[string(vrrp.ReasonAddresses)]
		if seen.State == api.Backup && seen.Master == from {
			follows = ", and this director is its Backup"
		}
		r.wrong(fmt.Sprintf("virtual router %q", v.Name), "if it is no director of this cluster, give the virtual_router an id that nobody else in that network has, on both directors; if it is, configure the same addresses on both", nil,
			"%v advertises other addresses than those of virtual router %q with the same id, %d, on %s%s", from, v.Name, v.VRID, v.Interface, follows)
	}
	return r.judged()
}
