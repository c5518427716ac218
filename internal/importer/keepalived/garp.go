package keepalived

import (
	"time"

	"github.com/lvsd/lvsd/internal/importer"
)

// A garpGroup is interfaces on which packets of announcements have a distance.
type garpGroup struct {
	*section
	head       *Statement
	interfaces []string
	interval   time.Duration
	from       []importer.Place
}

// readGarpGroups gathers the blocks garp_group.
func readGarpGroups(w *walk, top *section) (all []*garpGroup) {
	for _, s := range top.take("garp_group") {
		g := &garpGroup{section: w.section(s.Block), head: s, from: places(s)}
		for _, o := range g.take("garp_interval", "gna_interval") {
			if t, ok := g.span(o, 1); ok {
				g.interval = max(g.interval, t)
				g.from = append(g.from, o.Place)
			}
		}
		for _, o := range g.take("interface") {
			g.interfaces = append(g.interfaces, o.Args()...)
			g.from = append(g.from, o.Place)
		}
		for _, o := range g.take("interfaces") {
			names, at := o.List()
			g.interfaces, g.from = append(g.interfaces, names...), append(append(g.from, o.Place), at...)
		}
		g.rest()
		all = append(all, g)
	}
	return all
}

// used tells of a group of interfaces once that it does not count for all of them together.
func (g *garpGroup) used() {
	if len(g.interfaces) > 1 && g.all != nil {
		g.all = nil
		g.lose(importer.Differs, g.head, "keepalived keeps this distance among the packets on all of these interfaces together, and lvsd on each", "")
	}
}
