package keepalived

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/lvsd/lvsd/internal/importer"
)

// Outline returns what keepalived makes of its configuration, by what its words say, and not
// by what Import makes of them.
func Outline(files Files, path string, o Options) (importer.Outline, error) {
	top, _, err := Parse(files, path, o)
	if err != nil {
		return nil, err
	}
	w := &walk{Options: o}
	d := &drawing{walk: w, lvs: readLVS(top, w)}
	for _, s := range top {
		if s.Is("global_defs") {
			d.globals = append(d.globals, s.Block...)
		}
	}
	names := map[string]bool{}
	for _, s := range top {
		switch {
		case s.Is("vrrp_instance"):
			if !names[s.Arg(1)] { // A second one of a name is not run.
				d.instance(s)
			}
			names[s.Arg(1)] = true
		case s.Is("static_ipaddress"):
			d.addresses(s, cmp.Or(word(d.globals, "default_interface"), "eth0"), nil, 0)
		}
	}
	for _, v := range d.lvs.servers {
		d.virtual(v)
	}
	return d.out, nil
}

// said returns the last of some statements with one of these words; nil if there is none.
func said(list []*Statement, words ...string) (last *Statement) {
	for _, s := range list {
		if s.Is(words...) {
			last = s
		}
	}
	return last
}

// word returns what stands behind the last such word; empty: nothing.
func word(list []*Statement, name string) string {
	if s := said(list, name); s != nil {
		return s.Arg(1)
	}
	return ""
}

// numeral returns the number behind the last such word, if it is one within bounds.
func numeral(list []*Statement, name string, lo, hi, otherwise int) int {
	n := 0
	if _, err := fmt.Sscan(word(list, name), &n); err != nil || n < lo || n > hi {
		return otherwise
	}
	return n
}

// instance adds a virtual router.
func (d *drawing) instance(s *Statement) {
	id := numeral(s.Block, "virtual_router_id", 1, 255, 0)
	if s.Arg(1) == "" || id == 0 {
		return
	}
	i := instance{section: d.section(s.Block)}
	six := i.family()
	on := cmp.Or(word(s.Block, "interface"), word(d.globals, "default_interface"), "eth0")
	version := numeral(s.Block, "version", 2, 3, numeral(d.globals, "vrrp_version", 2, 3, 2))
	master := word(s.Block, "state") == "MASTER"
	priority := numeral(s.Block, "priority", 1, 255, map[bool]int{false: 100, true: 255}[master])
	step, most := time.Second, 255*time.Second
	if six {
		version = 3
	}
	if version == 3 {
		step, most = 10*time.Millisecond, 40950*time.Millisecond
	}
	every, ok := seconds(word(s.Block, "advert_int"))
	if !ok || every < 10*time.Millisecond || every > 255*time.Second {
		every = time.Second
	}
	value := fmt.Sprintf("priority %d, VRRP %d", priority, version)
	if said(s.Block, "nopreempt") != nil && !master && priority < 255 {
		value += ", does not preempt"
	}
	d.out.Router(s.Place, id, six, on, value, min(max(every.Round(step), step), most))
	var own []string
	if v := said(s.Block, "use_vmac"); v != nil {
		own = append(slices.Clone(v.Args()), "vrrp."+strconv.Itoa(id), "vrrp6."+strconv.Itoa(id))
	}
	for _, b := range s.Block {
		if b.Is("virtual_ipaddress", "virtual_ipaddress_excluded") {
			d.addresses(b, on, own, id)
		}
	}
}

// addresses adds those of a block, but for what is there already, or of the other family.
// Own are the names of the device of use_vmac, which is on that interface.
func (d *drawing) addresses(b *Statement, on string, own []string, id int) {
	seen := map[string]bool{}
	six := false
	for n, v := range d.section(nil).readVIPs(b.Block) {
		at, p := cmp.Or(v.device, on), v.prefix
		if slices.Contains(own, at) {
			at = on
		}
		for _, o := range v.options {
			if o.Name == "peer" {
				p, _ = p.Addr().Prefix(p.Addr().BitLen())
			}
		}
		if n == 0 {
			six = p.Addr().Is6()
		}
		if b.Is("virtual_ipaddress") && p.Addr().Is6() != six || seen[p.Addr().String()] {
			continue
		}
		seen[p.Addr().String()] = true
		d.out.Address(v.s.Place, p, at, id)
	}
}
