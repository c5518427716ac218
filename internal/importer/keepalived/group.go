package keepalived

import (
	"slices"

	"github.com/lvsd/lvsd/internal/importer"
)

// A syncGroup is a vrrp_sync_group.
type syncGroup struct {
	*section
	s       *Statement
	name    string
	members []string
	from    []importer.Place
	weighs  *Statement // its members' weights count
}

// readSyncGroups gathers the blocks vrrp_sync_group. A member of two is one of the first.
func readSyncGroups(w *walk, top *section) (all []*syncGroup) {
	in := map[string]bool{}
	for _, s := range top.take("vrrp_sync_group") {
		g := &syncGroup{section: w.section(s.Block), s: s, name: s.Arg(1)}
		if g.name == "" || slices.ContainsFunc(all, func(o *syncGroup) bool { return o.name == g.name }) {
			w.gone(importer.Note, s, "it has no name, or that of a group above, and keepalived does not take it")
			continue
		}
		w.extra(s, 2)
		for _, o := range g.take("group") {
			g.from = append(g.from, o.Place)
			names, at := o.List()
			for n, name := range names {
				if in[name] {
					w.lose(importer.Lost, &Statement{Place: at[n], Words: []string{name}, Raw: name}, "it is in a vrrp_sync_group already, and keepalived does not take it into another one", "")
					continue
				}
				in[name] = true
				g.members, g.from = append(g.members, name), append(g.from, at[n])
			}
		}
		for _, o := range [...]*Statement{g.flag("sync_group_tracking_weight"), g.flag("global_tracking")} {
			if o != nil {
				g.weighs, g.from = o, append(g.from, o.Place)
			}
		}
		all = append(all, g)
	}
	return all
}

// group makes a sync_group of a vrrp_sync_group, after its virtual routers.
func (r *routers) group(g *syncGroup) {
	known := map[string]*instance{}
	for _, i := range r.list {
		known[i.name] = i
	}
	var members []string
	gone := 0
	for n, name := range g.members {
		if known[name] == nil && r.gone[name] {
			gone++
			r.lose(importer.Note, &Statement{Place: g.from[min(n+1, len(g.from)-1)], Words: []string{name}, Raw: name}, "this vrrp_instance did not come along, as its line says", "")
			continue
		}
		if known[name] == nil {
			r.lose(importer.Lost, &Statement{Place: g.from[min(n+1, len(g.from)-1)], Words: []string{name}, Raw: name}, "there is no vrrp_instance of that name, and keepalived passes over it", "")
			continue
		}
		members = append(members, name)
	}
	switch len(members) {
	case 0:
		if gone > 0 {
			r.dropBlock(importer.Lost, g.s, "none of its vrrp_instances came along", "")
			return
		}
		r.lose(importer.Lost, g.s, "no vrrp_instance is in this group, and keepalived does not take it either", "Name them in a block group in it, one on each line.")
		r.drop(importer.Lost, g.s)
		return
	case 1:
		i := known[members[0]]
		i.b.Of(g.s.Place).Of(g.from...)
		if gone > 0 {
			r.note(g.s, "one vrrp_instance of it came along, which has what the group says")
		} else {
			r.note(g.s, "a group of one is nothing but its vrrp_instance, which has what the group says")
		}
		r.joined(g, i.b, i.device, i.virtual)
		return
	}
	b := r.add(importer.NewBlock("sync_group", g.name).Of(g.s.Place).Note(g.s.Comment...))
	b.Set("routers", importer.Strings(members...), g.from...)
	r.joined(g, b)
}

// joined adds what a group tracks, and what it runs.
func (r *routers) joined(g *syncGroup, b *importer.Block, own ...string) {
	r.trackers.at = r.trackers.index[g.s]
	r.trackers.tracks(g.section, b, true, own...)
	g.hooks(r.globals, b, "GROUP", g.name, "0") // as keepalived says of a group
	g.rest()
	g.leftover(b)
}
