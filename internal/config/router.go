package config

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/lvsd/lvsd/vrrp"
)

// The limits of VRRP's fields: 12 bits of centiseconds in version 3, 8 bits
// of seconds in version 2 (RFC 9568 section 5.2.7, RFC 3768 section 5.3.7), and
// 8 bits for the number of addresses, of which a packet of 1500 bytes holds
// 90 where they are IPv6.
const (
	maxInterval3   = 40950 * time.Millisecond
	maxInterval2   = 255 * time.Second
	maxAddresses   = 255
	maxAddresses6  = 90
	ownerPriority  = 255
	maxPreemptWait = 1000 * time.Second
)

func (d *decoder) router(r *rawRouter) {
	d.checkName(r.Name, r.Range)
	d.claim(routerName, strconv.Quote(r.Name), r.Range)
	c := vrrp.Config{Name: r.Name}
	c.Interface = d.interfaceName(r.Interface, r.Range)
	d.require(r.ID, r.Range, "id", "id = 51")
	c.VRID = uint8(d.count(r.ID, 0, 1, 255))
	c.Version = uint8(d.count(r.Version, 3, 2, 3))
	c.Priority = uint8(d.count(r.Priority, 100, 1, 255))
	if !d.refused(r.Version) { // it has the interval's bounds
		c.Interval = d.advertInterval(r, c.Version)
	}
	c.Preempt = d.flag(r.Preempt, true)
	c.PreemptDelay = d.duration(r.PreemptDelay, 0, 0, maxPreemptWait)
	c.Lease = d.flag(r.Lease, true)
	c.Addresses = d.virtualAddresses(r, c.Version)
	c.Extra = d.extraAddresses(r, c.Interface)
	c.Track = d.tracked(r)
	family := d.routerFamily(&c)
	c.Peers = d.peers(r, &c, family)
	c.Source = d.sourceAddress(r, &c, family)
	d.preemption(r, &c)
	if c.Interface != "" && c.VRID != 0 && family != 0 {
		d.claims = append(d.claims, claim{
			kind: routerID, at: place(r.ID, r.Range),
			key: fmt.Sprintf("%s %d %d", c.Interface, c.VRID, family), text: strconv.Itoa(int(c.VRID)),
		})
	}
	d.routers = append(d.routers, c)
}

// routerFamily returns 4 or 6, or 0 where the router has no address.
func (d *decoder) routerFamily(c *vrrp.Config) int {
	if len(c.Addresses) == 0 {
		return 0
	}
	return c.Family()
}

// interfaceName reads the name of a network interface. The kernel takes up to
// 15 bytes, without space and slash.
func (d *decoder) interfaceName(a *hcl.Attribute, block hcl.Range) string {
	d.require(a, block, "interface", `interface = "eth0"`)
	s, ok := d.text(a)
	if !ok {
		return ""
	}
	return d.checkInterface(s, a.Expr.Range())
}

func (d *decoder) checkInterface(s string, at hcl.Range) string {
	if s == "" || len(s) > 15 || strings.ContainsAny(s, " \t\n/:") || s == "." || s == ".." {
		d.mistake(at, "Invalid interface", "%q can't be the name of a network interface: `ip link` lists those of this machine.", s)
		return ""
	}
	d.claim(interfaceName, s, at)
	return s
}

func (d *decoder) advertInterval(r *rawRouter, version uint8) time.Duration {
	const def = time.Second
	if version == 2 {
		t := d.duration(r.AdvertInterval, def, time.Second, maxInterval2)
		if t%time.Second != 0 {
			d.mistake(place(r.AdvertInterval, r.Range), "Invalid advert_interval",
				"VRRP version 2 counts whole seconds, and this is %s: round it, or use version 3.", short(t))
			return def
		}
		return t
	}
	t := d.duration(r.AdvertInterval, def, 10*time.Millisecond, maxInterval3)
	if t%(10*time.Millisecond) != 0 {
		d.mistake(place(r.AdvertInterval, r.Range), "Invalid advert_interval",
			"VRRP counts in steps of 10ms, and this is %s: write %s.", short(t), short(t.Round(10*time.Millisecond)))
		return def
	}
	return t
}

// virtualAddresses reads the addresses that the adverts carry.
func (d *decoder) virtualAddresses(r *rawRouter, version uint8) (out []netip.Prefix) {
	d.require(r.Addresses, r.Range, "addresses", `addresses = ["10.13.0.200/24"]`)
	items, ok := d.texts(r.Addresses)
	if ok && len(items) == 0 {
		d.mistake(r.Addresses.Expr.Range(), "No address", "A virtual router needs at least one address, such as [\"10.13.0.200/24\"].")
	}
	for _, it := range items {
		p, good := d.virtualAddress(it.text, it.at)
		if !good {
			continue
		}
		if len(out) > 0 && out[0].Addr().Is4() != p.Addr().Is4() {
			d.mistake(it.at, "Mixed families", "A virtual router advertises IPv4 or IPv6 addresses, and its first one is %s: write a second virtual_router, or an extra_address that is not advertised.", out[0].Addr())
			continue
		}
		out = append(out, p)
	}
	d.checkAdvert(r, version, items, out)
	return out
}

// virtualAddress reads an address that a router brings along. It may not be
// anybody else's.
func (d *decoder) virtualAddress(s string, at hcl.Range) (netip.Prefix, bool) {
	p, ok := d.parsePrefix(s, at)
	if !ok || !d.usable(p.Addr(), at) {
		return p, false
	}
	d.hostOf(p, at)
	d.claim(routerAddress, p.Addr().String(), at)
	return p, true
}

// hostOf warns about an address that is a network's own or its broadcast
// address. A network of two addresses has neither (RFC 3021, RFC 6164).
func (d *decoder) hostOf(p netip.Prefix, at hcl.Range) {
	a := p.Addr()
	if a.BitLen()-p.Bits() < 2 {
		return
	}
	if p.Masked().Addr() == a {
		d.doubt(at, "Address of the network", "%s is the address of the network %s itself, not one of a machine on it: write another one, or its true prefix length.", a, p)
	}
	if a.Is4() && !p.Contains(a.Next()) {
		d.doubt(at, "Broadcast address", "%s is the broadcast address of %s, which no machine can have: write another one, or its true prefix length.", a, p.Masked())
	}
}

// usable says whether an address can be one machine's on a network.
func (d *decoder) usable(a netip.Addr, at hcl.Range) bool {
	switch {
	case a.IsUnspecified():
		d.mistake(at, "Invalid address", "%s means no address at all.", a)
	case a.IsMulticast():
		d.mistake(at, "Invalid address", "%s is a multicast address.", a)
	case a == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		d.mistake(at, "Invalid address", "%s is the broadcast address.", a)
	default:
		return true
	}
	return false
}

// checkAdvert checks what the addresses are together.
func (d *decoder) checkAdvert(r *rawRouter, version uint8, items []item, addresses []netip.Prefix) {
	if len(addresses) == 0 {
		return
	}
	at, first := place(r.Addresses, r.Range), addresses[0].Addr()
	limit := maxAddresses
	if first.Is6() {
		limit = maxAddresses6
	}
	if len(addresses) > limit {
		d.mistake(at, "Too many addresses", "One advert has room for %d, and these are %d: write the others as extra_address, or a second virtual_router.", limit, len(addresses))
	}
	for _, p := range addresses {
		if p.Addr().IsLoopback() {
			d.mistake(at, "Invalid address", "%s is a loopback address: no other machine reaches it.", p.Addr())
		}
	}
	if !first.Is6() {
		return
	}
	if version == 2 {
		d.mistake(place(r.Version, r.Range), "Invalid version", "VRRP version 2 is for IPv4 only: leave version out, it is 3 by default.")
	}
	if !first.IsLinkLocalUnicast() && items[0].text != "" {
		d.doubt(items[0].at, "No link-local address", "The first IPv6 address of a virtual router must be link-local (RFC 9568 section 5.2.9), such as \"fe80::200/64\"; some peers refuse adverts without.")
	}
}

func (d *decoder) extraAddresses(r *rawRouter, def string) (out []vrrp.InterfaceAddress) {
	for i := range r.Extra {
		x := &r.Extra[i]
		name := def
		if s, ok := d.text(x.Interface); ok {
			name = d.checkInterface(s, x.Interface.Expr.Range())
		}
		if p, ok := d.virtualAddress(x.Address, x.AddressRange); ok {
			out = append(out, vrrp.InterfaceAddress{Interface: name, Prefix: p})
		}
	}
	return out
}

func (d *decoder) tracked(r *rawRouter) (names []string) {
	for _, t := range r.Track {
		if t.Kind != "interface" {
			d.unknown(t.KindRange, "track", t.Kind, []string{"interface"})
			continue
		}
		name := d.checkInterface(t.Name, t.NameRange)
		if slices.Contains(names, name) {
			d.mistake(t.NameRange, "Duplicate track", "Interface %s is tracked already: remove one of the two.", name)
			continue
		}
		names = append(names, name)
	}
	return names
}

func (d *decoder) peers(r *rawRouter, c *vrrp.Config, family int) (out []netip.Addr) {
	items, ok := d.texts(r.Peers)
	if ok && len(items) == 0 {
		d.mistake(r.Peers.Expr.Range(), "No peer", "With peers, adverts go to those addresses only: write the other directors' addresses, or leave peers out for multicast.")
	}
	for _, it := range items {
		a, good := d.parseAddress(it.text, it.at)
		switch {
		case !good || !d.usable(a, it.at):
		case !ofFamily(a, family):
			d.mistake(it.at, "Wrong family", "%s can't hear adverts of %s: a peer has the family of the addresses.", a, c.Addresses[0].Addr())
		case slices.Contains(out, a):
			d.mistake(it.at, "Duplicate peer", "%s is among the peers already: remove one of the two.", a)
		case slices.ContainsFunc(c.Addresses, func(p netip.Prefix) bool { return p.Addr() == a }):
			d.mistake(it.at, "Virtual peer", "%s is one of this router's virtual addresses: a peer is the other director's own address.", a)
		default:
			d.claim(peerAddress, a.String(), it.at)
			out = append(out, a)
		}
	}
	return out
}

// ofFamily says whether an address has the family, where one is known.
func ofFamily(a netip.Addr, family int) bool {
	return family == 0 || a.Is4() == (family == 4)
}

func (d *decoder) sourceAddress(r *rawRouter, c *vrrp.Config, family int) netip.Addr {
	a, ok := d.address(r.Source)
	at := place(r.Source, r.Range)
	switch {
	case !ok || !d.usable(a, at):
	case !ofFamily(a, family):
		d.mistake(at, "Wrong family", "%s can't be the source of adverts of %s: write an address of that family.", a, c.Addresses[0].Addr())
	case slices.ContainsFunc(c.Addresses, func(p netip.Prefix) bool { return p.Addr() == a }):
		d.mistake(at, "Virtual source", "%s is one of this router's virtual addresses: adverts come from the director's own address.", a)
	default:
		return a
	}
	return netip.Addr{}
}

// preemption checks what is said about taking over from a living Master.
func (d *decoder) preemption(r *rawRouter, c *vrrp.Config) {
	switch {
	case !c.Preempt && c.Priority == ownerPriority:
		d.doubt(place(r.Preempt, r.Range), "Owner without preemption", "The owner of the addresses (priority 255) takes over whatever preempt says (RFC 9568 section 6.1): use a priority up to 254.")
	case !c.Preempt && c.PreemptDelay > 0:
		d.doubt(place(r.PreemptDelay, r.Range), "Unused preempt_delay", "Without preemption there is nothing to delay: remove preempt_delay, or set preempt = true.")
	}
}
