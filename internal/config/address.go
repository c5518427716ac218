package config

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/lvsd/lvsd/internal/block"
	"github.com/lvsd/lvsd/vrrp"
)

// attributeOptions are what may be said of an address in a block of its own.
func attributeOptions[T any](of func(*T) *vrrp.Attributes) []block.Entry[T] {
	return []block.Entry[T]{
		block.Text("label", "The label of an IPv4 address, by which ifconfig and \"ip address show label\" know it. It begins with the interface's name and a colon.",
			"", block.Verbatim, func(t *T) *string { return &of(t).Label }).Within("a text of up to 15 bytes").Unless("the interface's name"),
		block.Choice("scope", "Where an IPv4 address is valid: \"link\" and \"host\" keep the director from using it as the source of packets that go further. The kernel wants all addresses of one network on an interface to have the same.", "global",
			[]block.Word[uint8]{{Name: "global", Value: 0}, {Name: "site", Value: 200}, {Name: "link", Value: 253}, {Name: "host", Value: 254}},
			func(t *T) *uint8 { return &of(t).Scope }),
		block.Text("broadcast", "The broadcast address of an IPv4 address's network.",
			netip.Addr{}, block.Address, func(t *T) *netip.Addr { return &of(t).Broadcast }).Within("an address").Unless("none"),
		block.Text("peer", "The other end of a point-to-point link, as ip-address(8) has it. The kernel has a route to it, and the address has no network of its own.",
			netip.Addr{}, block.Address, func(t *T) *netip.Addr { return &of(t).Peer }).Within("an address").Unless("none"),
		block.Flag("noprefixroute", "Keep the kernel from adding a route to the network of the address, as ip-address(8) does with this word.",
			false, func(t *T) *bool { return &of(t).NoPrefixRoute }),
		block.Flag("preferred", "Let the director's own connections come from an IPv6 address. If false, it is deprecated (RFC 6724, rule 3): a connection from an address that moves away is lost. Of IPv4 addresses, the first one of a network is used anyway.",
			false, func(t *T) *bool { return &of(t).Preferred }),
	}
}

// checkAttributes checks what is said of an address on an interface.
func checkAttributes(b *block.Body, p netip.Prefix, as vrrp.Attributes, on string) {
	a := p.Addr()
	for _, name := range [...]string{"label", "scope", "broadcast"} {
		if a.Is6() && b.Given(name) {
			b.Mistake(b.NameAt(name), "Unused "+name, "An IPv6 address has no %s: remove it.", name)
		}
	}
	if a.Is4() && as.Preferred {
		b.Mistake(b.NameAt("preferred"), "Unused preferred", "The kernel takes the first IPv4 address of a network as the source of connections, which is not a virtual one: remove preferred.")
	}
	if l := as.Label; l != "" && on != "" && (len(l) > 15 || l != on && !strings.HasPrefix(l, on+":")) {
		b.Mistake(b.At("label"), "Invalid label", "%q can't be the label of an address on %s: write one of up to 15 bytes that begins with %q.", l, on, on+":")
	}
	switch {
	case !as.Peer.IsValid():
	case as.Peer.Is6() != a.Is6() || as.Peer == a:
		b.Mistake(b.At("peer"), "Invalid peer", "%s can't be the other end of a link that has %s here: write another address of the same family.", as.Peer, a)
	case !p.IsSingleIP():
		b.Mistake(b.At("peer"), "Unused prefix length", "With a peer, the address has no network of its own: write %s without a prefix length.", a)
	case b.Given("broadcast"):
		b.Mistake(b.NameAt("broadcast"), "Unused broadcast", "A point-to-point link has no broadcast address: remove it, or the peer.")
	}
	if as.Broadcast.Is6() {
		b.Mistake(b.At("broadcast"), "Wrong family", "%s can't be the broadcast address of %s: write an IPv4 address.", as.Broadcast, a)
	}
}

// labelled is the interface with which the labels of addresses begin; empty: any.
func labelled(b *block.Body, c *vrrp.Config) string {
	if _, virtual := b.Block("virtual_mac"); virtual {
		return ""
	}
	return c.Interface
}

// attribute notes the attributes of an address, if it has any.
func attribute(all *map[netip.Addr]vrrp.Attributes, a netip.Addr, as vrrp.Attributes) {
	if as == (vrrp.Attributes{}) {
		return
	}
	if *all == nil {
		*all = map[netip.Addr]vrrp.Attributes{}
	}
	(*all)[a] = as
}

var addressTable = block.NewTable("address", func() []block.Entry[vrrp.Attributes] {
	return attributeOptions(func(as *vrrp.Attributes) *vrrp.Attributes { return as })
})

// addressBlocks reads the addresses that have blocks of their own, as items of the
// list.
func addressBlocks(b *block.Body, c *vrrp.Config) (all []block.Item) {
	for inner := range b.Blocks("address") {
		as := addressTable.Read(inner)
		it := block.Item{Text: inner.Labels[0], At: inner.LabelAt(0)}
		if p, ok := inner.ParsePrefix(it.Text, it.At); ok {
			checkAttributes(inner, p, as, labelled(b, c))
			attribute(&c.Attributes, p.Addr(), as)
			all = append(all, it)
		}
	}
	return all
}

// An extra is an extra_address, and whether its interface is tracked.
type extra struct {
	vrrp.InterfaceAddress
	vrrp.Attributes
	track bool
}

var extraTable = block.NewTable("extra_address", func() []block.Entry[extra] {
	return slices.Concat([]block.Entry[extra]{
		block.Text("interface", "The network interface to which the address is added.",
			"", networkInterface, func(x *extra) *string { return &x.Interface }).Within("a name of up to 15 bytes").Unless("the router's"),
		block.Flag("track", "Also track that interface: a director that has lost the link to the servers is not Master. If false, it stays Master without this address.",
			true, func(x *extra) *bool { return &x.track }),
	}, attributeOptions(func(x *extra) *vrrp.Attributes { return &x.Attributes }))
})

// extraAddresses reads the addresses that are not advertised, after what is tracked.
func extraAddresses(b *block.Body, c *vrrp.Config) {
	for inner := range b.Blocks("extra_address") {
		x := extraTable.Start()
		x.Interface = c.Interface
		extraTable.Decode(inner, &x)
		if p, ok := virtualAddress(b, inner.Labels[0], inner.LabelAt(0)); ok {
			x.Prefix = p
			c.Extra = append(c.Extra, x.InterfaceAddress)
			checkAttributes(inner, p, x.Attributes, x.Interface)
			attribute(&c.Attributes, p.Addr(), x.Attributes)
		}
		if x.track {
			trackOther(c, x.Interface)
		}
	}
}

// trackOther lets a router track an interface, if it is not its own.
func trackOther(c *vrrp.Config, name string) {
	if condition := trackInterface.name + " " + name; name != c.Interface && !tracked(c.Track, condition) {
		c.Track = append(c.Track, vrrp.Track{Condition: condition})
	}
}

// virtualAddress reads an address that a router brings along. It may not be
// anybody else's.
func virtualAddress(b *block.Body, s string, at block.Place) (netip.Prefix, bool) {
	p, ok := b.ParsePrefix(s, at)
	if !ok || !usable(b, p.Addr(), at) {
		return p, false
	}
	checkHost(b, p, at)
	claim(b, routerAddress, p.Addr().String(), at)
	return p, true
}

// checkHost warns about an address that is a network's own or its broadcast
// address. A network of two addresses has neither (RFC 3021, RFC 6164).
func checkHost(b *block.Body, p netip.Prefix, at block.Place) {
	a := p.Addr()
	if a.BitLen()-p.Bits() < 2 {
		return
	}
	if p.Masked().Addr() == a {
		b.Doubt(at, "Address of the network", "%s is the address of the network %s itself, which no machine can have: correct the address or its prefix length.", a, p)
	}
	if a.Is4() && !p.Contains(a.Next()) {
		b.Doubt(at, "Broadcast address", "%s is the broadcast address of %s, which no machine can have: correct the address or its prefix length.", a, p.Masked())
	}
}
