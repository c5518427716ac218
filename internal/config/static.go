package config

import (
	"slices"

	"github.com/lvsd/lvsd/internal/block"
	"github.com/lvsd/lvsd/vrrp"
)

// A staticAddress is an address that a director has always, and how it is added.
type staticAddress struct {
	vrrp.InterfaceAddress
	vrrp.Attributes
}

var staticAddressTable = block.NewTable("address", func() []block.Entry[staticAddress] {
	options := attributeOptions(func(a *staticAddress) *vrrp.Attributes { return &a.Attributes })
	return append([]block.Entry[staticAddress]{
		block.Text("interface", "The network interface to which the address is added.",
			"", networkInterface, func(a *staticAddress) *string { return &a.Interface }).Within("a name of up to 15 bytes").Required(`interface = "eth1"`),
	}, options[:len(options)-1]...) // It does not move, so it may always be preferred.
})

var staticRouteTable = block.NewTable("route", func() []block.Entry[vrrp.Route] {
	return routeOptions(func(r *vrrp.Route) *vrrp.Route { return r })
})

var staticTable = block.NewTable("static", func() []block.Entry[vrrp.Holdings] {
	return []block.Entry[vrrp.Holdings]{
		block.Many[vrrp.Holdings]("address", "An address of this director. The label is the address; without a prefix length it is a /32 or a /128. It can't be a virtual one.",
			staticAddressTable.Schema(), "address"),
		block.Many[vrrp.Holdings]("route", "A route of this director. The label is the destination: a network, or \"default\".",
			staticRouteTable.Schema(), "destination"),
		block.Many[vrrp.Holdings]("rule", "A rule of policy routing of this director.",
			ruleTable.Schema()),
	}
})

// readStatic reads what a director has always.
func readStatic(b *block.Body) vrrp.Holdings {
	h := staticTable.Read(b)
	for inner := range b.Blocks("address") {
		a := staticAddressTable.Read(inner)
		at := inner.LabelAt(0)
		p, ok := inner.ParsePrefix(inner.Labels[0], at)
		if !ok || !usable(inner, p.Addr(), at) {
			continue
		}
		checkHost(inner, p, at)
		checkAttributes(inner, p, a.Attributes, a.Interface)
		claim(inner, fixedAddress, p.Addr().String(), at)
		a.Prefix, a.Preferred = p, p.Addr().Is6()
		h.Addresses = append(h.Addresses, a.InterfaceAddress)
		attribute(&h.Attributes, p.Addr(), a.Attributes)
	}
	for inner := range b.Blocks("route") {
		if r := staticRouteTable.Read(inner); readRoute(inner, &r) {
			h.Routes = append(h.Routes, r)
		}
	}
	h.Rules = readRules(b)
	return h
}

// joinStatic makes one of what several blocks say.
func joinStatic(all []vrrp.Holdings) (h vrrp.Holdings) {
	for _, o := range all {
		h.Addresses = slices.Concat(h.Addresses, o.Addresses)
		h.Routes, h.Rules = slices.Concat(h.Routes, o.Routes), slices.Concat(h.Rules, o.Rules)
		for a, as := range o.Attributes {
			attribute(&h.Attributes, a, as)
		}
	}
	return h
}
