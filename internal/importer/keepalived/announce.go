package keepalived

import (
	"slices"
	"time"

	"github.com/lvsd/lvsd/internal/importer"
)

// asRepeated is why there is no number of packets of its own when addresses are announced again.
const asRepeated = "each announcement has as many packets as garp_master_repeat says"

// announcing sets how the addresses are announced, where something is said about it.
func (i *instance) announcing() {
	b := importer.NewBlock("announce")
	i.announce(b, "repeat", "garp_master_repeat", "vrrp_garp_master_repeat")
	i.spacing(b)
	i.announce(b, "refresh", "garp_master_refresh", "vrrp_garp_master_refresh")
	i.extraInterfaces(b)
	if len(b.Items) > 0 {
		i.b.Items = append(i.b.Items, b)
	}
	for _, s := range i.take("garp_master_refresh_repeat") {
		i.note(s, asRepeated)
	}
}

// announce sets one option of an announcement, from the instance or from all.
func (i *instance) announce(b *importer.Block, name, word, global string) {
	s := i.last(word)
	if s == nil {
		s = i.r.globals.ask(global)
	}
	if s == nil {
		return
	}
	if n, ok := i.whole(s, 1, 0, 86400); ok && name == "repeat" && n == 1 {
		i.note(s, "it is the default")
	} else if ok && n > 0 {
		v := importer.Number(min(n, 100))
		if name == "refresh" {
			v = importer.Duration(time.Duration(n) * time.Second)
		}
		remarks(b.Of(s.Place), b.Set(name, v, s.Place), s)
	} else if ok {
		i.note(s, "0 is the default, or means the fewest packets that there are, which is one")
	}
}

// spacing sets the time between two packets.
func (i *instance) spacing(b *importer.Block) {
	var interval time.Duration
	var from []importer.Place
	for _, word := range [...]string{"vrrp_garp_interval", "vrrp_gna_interval"} {
		if s := i.r.globals.ask(word); s != nil {
			if t, ok := i.span(s, 1); ok {
				interval, from = max(interval, t), append(from, s.Place)
			}
		}
	}
	for _, g := range i.r.garp {
		if slices.Contains(g.interfaces, i.device) {
			interval, from = g.interval, g.from
			g.used()
		}
	}
	if interval > 0 {
		b.Of(from...).Set("interval", importer.Duration(min(interval.Round(time.Millisecond), 10*time.Second)), from...)
	}
}

// extraInterfaces sets a refresh for addresses on other interfaces.
func (i *instance) extraInterfaces(b *importer.Block) {
	s := i.last("garp_extra_if", "vmac_garp_intvl")
	if s == nil {
		if s = i.r.globals.ask("vrrp_garp_extra_if"); s == nil {
			return
		}
	}
	at := 1
	if s.Arg(1) == "all" {
		at = 2
	}
	n, ok := i.whole(s, at, 0, 86400)
	switch {
	case !ok:
	case n == 0 || b.Get("refresh") != nil:
		i.note(s, "the addresses on all interfaces are announced again as garp_master_refresh says")
	default:
		b.Of(s.Place).Set("refresh", importer.Duration(time.Duration(n)*time.Second), s.Place)
	}
}
