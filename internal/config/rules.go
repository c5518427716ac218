package config

import (
	"fmt"
	"net/netip"
	"path/filepath"

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

// checkWhole checks what the blocks are together, where each is right: what
// was refused could be what is missing here.
func (d *decoder) checkWhole() {
	if d.mistakes > 0 {
		return
	}
	d.checkEmpty()
	d.checkHolders()
}

// checkEmpty refuses a configuration that serves nothing: at a reload it would
// take every address and every service down.
func (d *decoder) checkEmpty() {
	files := d.sources.files
	if len(files) == 0 || len(d.config.Routers)+len(d.config.Services) > 0 {
		return
	}
	what := filepath.Base(files[0].name)
	if len(files) > 1 {
		what = fmt.Sprintf("The configuration, %d files,", len(files))
	}
	d.mistake(files[0].at(0), "Empty configuration", "%s has no virtual_router and no virtual_service: a disk that was full looks like this; to stop serving, stop lvsd.", what)
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
