package config

import (
	"net/netip"

	"github.com/hashicorp/hcl/v2"
)

// rules are what must hold among several blocks: where each thing that must
// be unique was seen first.
type rules struct {
	directors, names, routers, addresses, services map[any]hcl.Range

	serviceAddresses []addressAt
}

// A routerKey is what tells virtual routers apart on a wire.
type routerKey struct {
	iface  string
	vrid   uint8
	family int
}

// An addressAt is an address, and where it is written.
type addressAt struct {
	addr netip.Addr
	at   hcl.Range
}

func newRules() rules {
	return rules{
		directors: map[any]hcl.Range{},
		names:     map[any]hcl.Range{},
		routers:   map[any]hcl.Range{},
		addresses: map[any]hcl.Range{},
		services:  map[any]hcl.Range{},
	}
}

// checkHolders warns about a service whose address nobody holds.
func (d *decoder) checkHolders() {
	if d.options.Local == nil {
		return
	}
	warned := map[netip.Addr]bool{}
	for _, s := range d.rules.serviceAddresses {
		_, routed := d.rules.addresses[s.addr]
		if routed || d.isLocal(s.addr) || warned[s.addr] {
			continue
		}
		warned[s.addr] = true
		d.doubt(s.at, "Address held by nobody", "%s is no virtual_router's address and on no interface of this machine, so no packet for it arrives: add it to a virtual_router.", s.addr)
	}
}
