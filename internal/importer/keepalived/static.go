package keepalived

import "github.com/lvsd/lvsd/internal/importer"

// static makes a block static of what a director has always.
func (r *routers) static(top *section) {
	b := importer.NewBlock("static")
	heads := top.take("static_ipaddress", "static_routes", "static_rules")
	if len(heads) == 0 {
		return
	}
	c := r.section(nil)
	for _, s := range heads {
		b.Of(s.Place).Note(comments(s)...)
		if s.Words[0] == "static_ipaddress" {
			r.staticAddresses(c, b, s)
		}
	}
	for _, s := range heads {
		if s.Words[0] == "static_routes" {
			c.routeBlocks(b, s.Block, false)
		}
	}
	for _, s := range heads {
		if s.Words[0] == "static_rules" {
			c.ruleBlocks(b, s.Block)
		}
	}
	if len(b.Items) > 0 {
		r.add(b)
		return
	}
	for _, s := range heads {
		r.note(s, "there is nothing in it that keepalived would set")
	}
}

// staticAddresses adds the addresses of static_ipaddress.
func (r *routers) staticAddresses(c *section, b *importer.Block, s *Statement) {
	for _, v := range c.readVIPs(s.Block) {
		on, from := v.device, places(v.s)
		if on == "" {
			on = "eth0"
			if g := r.globals.ask("default_interface"); g != nil && len(g.Words) > 1 {
				on, from = g.Words[1], places(v.s, g)
			}
		}
		a := b.Block("address", v.text())
		a.Set("interface", importer.String(on), from...)
		v.write(c, a, on, false)
		a.Remove("preferred") // it does not move, so it is
	}
}
