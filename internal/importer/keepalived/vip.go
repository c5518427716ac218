package keepalived

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	"github.com/lvsd/lvsd/internal/importer"
)

// A vip is an address of a vrrp_instance, with what is said about it.
type vip struct {
	s      *Statement
	prefix netip.Prefix
	bare   bool // without a prefix length
	device string
	// untracked: the director is Master without the interface, too
	untracked bool
	options   []importer.Arg // of its block, in the order of lvsd.hcl(5)
}

// prefixOf reads an address with or without a prefix length.
func prefixOf(word string) (p netip.Prefix, bare, ok bool) {
	if a, err := netip.ParseAddr(word); err == nil && a.Zone() == "" {
		return netip.PrefixFrom(a, a.BitLen()), true, true
	}
	p, err := netip.ParsePrefix(word)
	return p, false, err == nil
}

// text writes an address as lvsd reads it.
func (v *vip) text() string {
	if v.bare || v.prefix.IsSingleIP() {
		return v.prefix.Addr().String()
	}
	return v.prefix.String()
}

// readVIPs reads the lines of virtual_ipaddress, or of another block of addresses.
func (c *section) readVIPs(list []*Statement) (all []*vip) {
	for _, s := range list {
		at := 0
		if s.Words[0] == "add" || s.Words[0] == "inet" || s.Words[0] == "inet6" {
			at++
		}
		p, bare, ok := prefixOf(s.Arg(at))
		if !ok {
			c.lose(importer.Lost, s, "an address was expected, and keepalived passes over this line as well", "")
			continue
		}
		v := &vip{s: s, prefix: p, bare: bare}
		for i := at + 1; i < len(s.Words); {
			i += c.vipOption(v, i)
		}
		all = append(all, v)
	}
	return all
}

// vipOption reads one option of an address, and returns how many words it takes.
func (c *section) vipOption(v *vip, at int) int {
	s := v.s
	value := s.Arg(at + 1)
	switch word := s.Words[at]; word {
	case "dev":
		v.device = value
	case "label":
		v.set("label", importer.String(value))
	case "peer":
		p, _, ok := prefixOf(value)
		if !ok || p.Addr().Is6() != v.prefix.Addr().Is6() || p.Addr() == v.prefix.Addr() {
			c.loseText(importer.Lost, s, "peer "+value, "another address of the same family was expected", "")
			break
		}
		v.set("peer", importer.String(p.Addr().String()))
	case "scope":
		if !strings.Contains(" global site link host ", " "+value+" ") {
			c.loseText(importer.Lost, s, "scope "+value, "lvsd has the scopes global, site, link and host", "")
			break
		}
		if v.prefix.Addr().Is4() {
			v.set("scope", importer.String(value))
		}
	case "brd", "broadcast":
		c.broadcast(v, value)
	case "preferred_lft":
		v.set("preferred", importer.Bool(value != "0"))
		if value != "0" && value != "forever" {
			c.loseText(importer.Differs, s, "preferred_lft "+value, "an address that moves has no other lifetime than that it is there, and is preferred here for as long", "")
		}
	case "noprefixroute":
		v.set("noprefixroute", importer.Bool(true))
		return 1
	case "-nodad": // lvsd always adds them so
		return 1
	case "no_track":
		v.untracked = true
		return 1
	case "home", "mngtmpaddr", "autojoin", "use_vmac":
		c.loseText(importer.Lost, s, word, "lvsd does not set this for an address", "")
		return 1
	case "track_group":
		c.loseText(importer.Lost, s, "track_group "+value, "what is static is not tracked", "")
	default:
		c.loseText(importer.Lost, s, word, "keepalived has no such option of an address, and passes over it", "")
		return 1
	}
	return 2
}

// broadcast reads the broadcast address of an address: "+" is that of its network.
func (c *section) broadcast(v *vip, value string) {
	a, err := netip.ParseAddr(value)
	switch {
	case value == "-":
		return
	case value == "+" && v.prefix.Addr().Is4() && v.prefix.Bits() < 31:
		a = lastOf(v.prefix)
	case err != nil || a.Is6() || v.prefix.Addr().Is6():
		c.loseText(importer.Lost, v.s, "brd "+value, "an IPv4 address of a network was expected, and keepalived does not take this either", "")
		return
	}
	v.set("broadcast", importer.String(a.String()))
}

// lastOf is the last address of an IPv4 network.
func lastOf(p netip.Prefix) netip.Addr {
	b := p.Addr().As4()
	for i := p.Bits(); i < 32; i++ {
		b[i/8] |= 0x80 >> (i % 8)
	}
	return netip.AddrFrom4(b)
}

func (v *vip) set(name string, value importer.Value) {
	v.options = append(v.options, importer.Arg{Name: name, Value: value, From: []importer.Place{v.s.Place}})
}

// write adds the options of an address to its block.
func (v *vip) write(c *section, b *importer.Block, on string, vmac bool) {
	b.Of(v.s.Place).Note(comments(v.s)...)
	for _, o := range v.options {
		label := o.Value.Text
		switch {
		case o.Name == "label" && v.prefix.Addr().Is6():
			c.loseText(importer.Note, v.s, "label "+label, "an IPv6 address has no label", "")
			continue
		case o.Name == "label" && (len(label) > 15 || !vmac && label != on && !strings.HasPrefix(label, on+":")):
			c.loseText(importer.Lost, v.s, "label "+label, "the label of an address on "+on+" begins with "+on+": and has up to 15 bytes", "")
			continue
		case o.Name == "preferred" && v.prefix.Addr().Is4():
			continue
		}
		b.Set(o.Name, o.Value, o.From...)
	}
	if b.Get("peer") != nil {
		b.Remove("broadcast")
		b.Labels[0] = v.prefix.Addr().String()
	}
}

// simple reports whether nothing is said about an address but itself.
func (v *vip) simple() bool { return len(v.options) == 0 }

// held reports whether a virtual router has an address already, and tells of it.
func (i *instance) held(v *vip) bool {
	a := v.prefix.Addr()
	switch by := i.r.addresses[a]; {
	case by == nil:
		i.r.addresses[a] = i
		return false
	case by == i:
		i.note(v.s, "the address is there already, and the kernel has it once")
	case a.IsLinkLocalUnicast() && by.device != i.device:
		i.lose(importer.Lost, v.s, "the vrrp_instance "+by.name+" has this address on "+by.device+", and lvsd has a link-local address on one interface only", "Give each network one of its own, such as fe80::"+decimal(i.id)+", and write that in what has it as its router.")
	default:
		i.taken = by.name
		i.lose(importer.Lost, v.s, "the vrrp_instance "+by.name+" has this address, and only one virtual router can hold it", "")
	}
	return true
}

// room is how many addresses an advert has room for.
func (i *instance) room() int {
	if i.six {
		return 89
	}
	return 255
}

// addresses makes the addresses of a virtual router of virtual_ipaddress and
// virtual_ipaddress_excluded.
func (i *instance) addresses() {
	vips := i.readVIPs(i.lines("virtual_ipaddress"))
	var list []string
	var from []importer.Place
	var blocks, others []*vip
	for _, v := range vips {
		switch {
		case i.held(v):
		case v.prefix.Addr().Is6() != i.six:
			i.lose(importer.Lost, v.s, "the first address of the vrrp_instance is of the other family, and keepalived passes over this one", "Write it in virtual_ipaddress_excluded, or an extra_address.")
		case v.device != "" && v.device != i.device && v.device != i.virtual:
			if others = append(others, v); len(others) > 1 {
				break
			}
			i.lose(importer.Differs, v.s, "keepalived advertises this address, and lvsd does not, as it is on another interface; a director with keepalived 2.3.2 or older refuses adverts with other addresses than its own", "Exchange all directors of this virtual router together.")
		case len(list)+len(blocks) == i.room():
			if others = append(others, v); i.crowded {
				break
			}
			i.crowded = true
			i.lose(importer.Note, v.s, "an advert has room for "+decimal(i.room())+" addresses: keepalived has the others as virtual_ipaddress_excluded, and so they are here", "")
		case v.simple():
			list, from = append(list, v.text()), append(from, v.s.Place)
		default:
			blocks = append(blocks, v)
		}
	}
	a := &importer.Arg{}
	if len(list) > 0 || len(blocks) == 0 {
		a = i.b.Set("addresses", importer.Strings(list...), append(from, places(i.take("no_virtual_ipaddress")...)...)...)
	}
	for _, v := range vips {
		if v.simple() && len(list) == 1 {
			remarks(i.b, a, v.s)
		} else if v.simple() {
			i.b.Note(about(v.text(), v.s)...)
		}
	}
	for _, v := range blocks {
		v.write(i.section, i.b.Block("address", v.text()), i.device, i.vmac != nil)
	}
	for _, v := range i.readVIPs(i.lines("virtual_ipaddress_excluded")) {
		if !i.held(v) {
			others = append(others, v)
		}
	}
	for _, v := range others {
		b := i.b.Block("extra_address", v.text())
		on := cmp.Or(v.device, i.device)
		if on == i.virtual {
			on = i.device
		}
		if on == i.device && i.vmac != nil && v.prefix.Addr().Is6() == i.six {
			i.lose(importer.Differs, v.s, "keepalived has this address on the device of use_vmac, with the virtual MAC address, and lvsd has only those there that are advertised", "Write it in addresses, on all directors at once.")
		}
		if on != i.device {
			b.Set("interface", importer.String(on), v.s.Place)
			if v.untracked {
				b.Set("track", importer.Bool(false), v.s.Place)
			}
		}
		v.write(i.section, b, on, false)
	}
	i.advertised = len(list) + len(blocks)
	i.deprecated(append(vips, others...))
}

// deprecated tells of IPv6 addresses from which keepalived lets the director's own
// connections come, unless they have no network.
func (i *instance) deprecated(all []*vip) {
	for _, v := range all {
		said := slices.ContainsFunc(v.options, func(o importer.Arg) bool { return o.Name == "preferred" })
		if v.prefix.Addr().Is6() && !v.prefix.IsSingleIP() && !v.prefix.Addr().IsLinkLocalUnicast() && !said {
			i.lose(importer.Note, v.s, "the director's own connections do not come from an IPv6 address that moves, and with keepalived they may", `Write preferred = true in an address block of it, if they have to.`)
			return
		}
	}
}
