package keepalived

import (
	"net/netip"

	"github.com/lvsd/lvsd/internal/importer"
)

// Routers are all virtual routers on their way.
type routers struct {
	*walk
	globals   *globals
	trackers  *trackers
	garp      []*garpGroup
	list      []*instance
	addresses map[netip.Addr]*instance // with who has them
	gone      map[string]bool          // vrrp_instances that did not come along
	grouped   map[string]bool          // by a vrrp_sync_group, which decides about weights
}

// An instance is a vrrp_instance on its way to a virtual_router.
type instance struct {
	*section
	r          *routers
	s          *Statement
	b          *importer.Block
	name       string
	device     string
	six        bool
	version    int
	id         int
	priority   int
	owner      bool       // priority 255
	master     *Statement // state MASTER
	vmac       *Statement // use_vmac
	virtual    string     // the device of use_vmac
	named      []importer.Place
	syncs      *Statement // lvs_sync_daemon_interface
	peers      []netip.Addr
	advertised int    // addresses
	crowded    bool   // there are more than an advert has room for
	taken      string // the vrrp_instance that has one of its addresses already
}
