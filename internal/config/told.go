package config

import (
	"fmt"
	"slices"

	"github.com/lvsd/lvsd/internal/block"
	"github.com/lvsd/lvsd/vrrp"
)

// told is what all blocks say about connections that are told of.
type told struct {
	router *block.Claim  // by whose role; nil: they are not
	mixed  []block.Claim // services for which the kernel cannot do that
}

func (t *told) add(c block.Claim) {
	if c.Kind == syncedRouter {
		t.router = &c
	} else {
		t.mixed = append(t.mixed, c)
	}
}

// check judges the virtual router, and the services for which the kernel refuses to tell of
// connections (linux/net/netfilter/ipvs/ip_vs_ctl.c, ip_vs_genl_new_daemon).
func (t *told) check(report *block.Reports, routers []vrrp.Config) {
	if t.router == nil {
		return
	}
	names := make([]string, 0, len(routers))
	for i := range routers {
		names = append(names, routers[i].Name)
	}
	if !slices.Contains(names, t.router.Key) {
		report.Mistake(t.router.At, fmt.Sprintf("Unknown virtual_router %q", t.router.Key), "%sThere is no virtual router of this name: write the label of its block.", language().DidYouMean(t.router.Key, names))
	}
	for _, c := range t.mixed {
		report.Mistake(c.At, "Connections that cannot be told of", "The kernel starts no sync daemon while a service has real servers of the other family, as %q has, and connection_sync (%s) needs one: give it servers of its own family, or remove connection_sync.", c.Key, t.router.At)
	}
}
