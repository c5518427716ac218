package keepalived

import (
	"net/netip"
	"slices"

	"github.com/lvsd/lvsd/internal/importer"
)

// importVRRP adds the virtual routers, and what concerns the daemon as a whole.
func importVRRP(list []*Statement, w *walk) {
	top := w.section(slices.DeleteFunc(slices.Clone(list), func(s *Statement) bool { return slices.Contains(lvsWords, s.Words[0]) }))
	r := &routers{walk: w, addresses: map[netip.Addr]*instance{}, gone: map[string]bool{}, grouped: map[string]bool{}}
	r.globals = readGlobals(w, top)
	r.trackers = readTrackers(w, top)
	r.garp = readGarpGroups(w, top)
	groups := readSyncGroups(w, top)
	for _, g := range groups {
		for _, name := range g.members {
			r.grouped[name] = g.weighs == nil && len(g.members) > 1
		}
	}
	for _, s := range top.take("vrrp_instance") {
		r.instance(s)
	}
	for _, g := range groups {
		r.group(g)
	}
	for _, g := range r.garp {
		if len(g.interfaces) == 0 || !slices.ContainsFunc(r.list, func(i *instance) bool { return slices.Contains(g.interfaces, i.device) }) {
			w.gone(importer.Note, g.head, "no vrrp_instance is on these interfaces")
		}
	}
	r.trackers.define(w, r.globals)
	r.static(top)
	r.globals.process(r.list)
	r.globals.rest()
	top.rest()
}
