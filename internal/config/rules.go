package config

import (
	"fmt"
	"net/netip"
	"path/filepath"
	"strconv"

	"github.com/hashicorp/hcl/v2"

	"github.com/lvsd/lvsd/ipvsctl"
)

// rules are what must hold among several blocks: where each thing that must
// be unique was seen first.
type rules struct {
	directors                 map[string]hcl.Range
	routerNames, serviceNames map[blockName]hcl.Range
	routers                   map[routerKey]hcl.Range
	addresses                 map[netip.Addr]hcl.Range
	services                  map[ipvsctl.ServiceKey]hcl.Range

	serviceAddresses []addressAt
}

// A blockName is a block's label, which prints as it is written.
type blockName string

func (n blockName) String() string { return strconv.Quote(string(n)) }

// A routerKey is what tells virtual routers apart on a wire.
type routerKey struct {
	iface  string
	vrid   uint8
	family int
}

func (k routerKey) String() string { return strconv.Itoa(int(k.vrid)) }

// An addressAt is an address, and where it is written.
type addressAt struct {
	addr netip.Addr
	at   hcl.Range
}

func newRules() rules {
	return rules{
		directors:    map[string]hcl.Range{},
		routerNames:  map[blockName]hcl.Range{},
		serviceNames: map[blockName]hcl.Range{},
		routers:      map[routerKey]hcl.Range{},
		addresses:    map[netip.Addr]hcl.Range{},
		services:     map[ipvsctl.ServiceKey]hcl.Range{},
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
