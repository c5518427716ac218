package keepalived

import (
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/lvsd/lvsd/internal/importer"
)

// instance reads a vrrp_instance.
func (r *routers) instance(s *Statement) {
	i := &instance{section: r.section(s.Block), r: r, s: s, name: s.Arg(1)}
	switch {
	case len(s.Words) < 2:
		r.dropBlock(importer.Lost, s, "it has no name, and keepalived does not take it either", "")
		return
	case slices.ContainsFunc(r.list, func(o *instance) bool { return o.name == i.name }):
		r.dropBlock(importer.Lost, s, "there is another vrrp_instance of that name above, and keepalived does not take this one", "")
		return
	}
	r.extra(s, 2)
	id := i.last("virtual_router_id")
	if id == nil {
		r.dropBlock(importer.Lost, s, "it has no virtual_router_id, and keepalived does not run it either", "")
		return
	}
	n, ok := i.whole(id, 1, 1, 255)
	if !ok {
		r.dropBlock(importer.Lost, s, "without a virtual_router_id, keepalived does not run it either", "")
		return
	}
	losses, files := len(r.Losses), len(r.Files)
	i.id = n
	i.b = r.add(importer.NewBlock("virtual_router", i.name).Of(s.Place).Note(comments(s)...))
	r.list = append(r.list, i)
	r.trackers.at = r.trackers.index[s]
	i.compose(id)
	if !i.moves() {
		r.retract(i, losses, files)
		return
	}
	i.section.rest()
	i.leftover(i.b)
}

// moves reports whether there is anything that moves with the virtual router.
func (i *instance) moves() bool {
	return i.advertised > 0 || slices.ContainsFunc(i.b.Items, func(it importer.Item) bool {
		b, is := it.(*importer.Block)
		return is && slices.Contains([]string{"extra_address", "route", "rule", "on"}, b.Kind)
	})
}

// retract takes a virtual router back with which nothing would move, with what was told of its
// lines and the files that it has.
func (r *routers) retract(i *instance, losses, files int) {
	is := func(b *importer.Block) bool { return b == i.b }
	r.Blocks = slices.DeleteFunc(r.Blocks, is)
	r.list = r.list[:len(r.list)-1]
	r.gone[i.name] = true
	maps.DeleteFunc(r.addresses, func(_ netip.Addr, by *instance) bool { return by == i })
	for _, d := range r.trackers.order {
		d.uses = slices.DeleteFunc(d.uses, func(b *importer.Block) bool { return slices.Contains(i.b.Items, importer.Item(b)) })
	}
	inner := map[importer.Place]bool{}
	for _, s := range i.s.Block {
		inner[s.Place] = true
		for _, line := range s.Block {
			inner[line.Place] = true
		}
	}
	kept := slices.DeleteFunc(r.Losses[losses:], func(l importer.Loss) bool { return inner[l.Place] })
	r.Losses = r.Losses[:losses+len(kept)]
	r.Files = r.Files[:files]
	reason, remedy := "it has no address, and nothing else that would move: keepalived exchanges adverts for it all the same", "Write a virtual_router with an address, or with a program in an on block."
	if i.taken != "" {
		reason = "the vrrp_instance " + i.taken + " has its addresses, and only one virtual router can hold an address"
		remedy = "If it is there to have both links watched, write track \"interface\" \"" + i.device + "\" {} in the virtual_router " + i.taken + "."
	}
	r.lose(importer.Lost, i.s, reason, remedy)
	r.drop(importer.Lost, i.s)
}

// compose makes the virtual router, in the order of its options.
func (i *instance) compose(id *Statement) {
	i.six = i.family()
	i.syncs = i.last("lvs_sync_daemon_interface")
	i.virtualDevice()
	i.where()
	i.patience()
	remarks(i.b, i.b.Set("id", importer.Number(i.id), id.Place), id)
	i.protocol()
	i.rank()
	i.times()
	i.preemption()
	i.addresses()
	i.routeBlocks(i.b, i.lines("virtual_routes"), true)
	i.routesOnVirtual()
	i.ruleBlocks(i.b, i.lines("virtual_rules"))
	i.announcing()
	i.reach()
	i.r.trackers.tracks(i.section, i.b, !i.r.grouped[i.name], i.device, i.virtual)
	i.authentication()
	i.hooks(i.r.globals, i.b, "INSTANCE", i.name, decimal(i.priority))
	i.virtualMAC()
	i.acceptance()
}

// family reports whether the addresses are IPv6: the first one decides.
func (i *instance) family() bool {
	for _, s := range i.all {
		if s.Words[0] != "virtual_ipaddress" && s.Words[0] != "unicast_peer" {
			continue
		}
		for _, line := range s.Block {
			if p, _, ok := prefixOf(line.Words[0]); ok {
				return p.Addr().Is6()
			}
		}
	}
	return false
}

// where sets the interface.
func (i *instance) where() {
	s := i.last("interface")
	switch {
	case s != nil && len(s.Words) > 1:
		i.device = s.Words[1]
		i.extra(s, 2)
		remarks(i.b, i.b.Set("interface", importer.String(i.device), s.Place), s)
	default:
		i.device = "eth0"
		g := i.r.globals.ask("default_interface")
		if g != nil && len(g.Words) > 1 {
			i.device = g.Words[1]
		}
		i.b.Set("interface", importer.String(i.device), places(s, g)...)
		i.lose(importer.Differs, i.s, "it names no interface, which keepalived takes with unicast_src_ip only; a virtual_router has one, here the one on which addresses are by default", "Write the interface that leads to the other directors.")
	}
	i.r.trackers.own[i.device] = true
	if i.vmac != nil {
		i.r.trackers.own[i.virtual] = true
	}
	if s := i.flag("dont_track_primary"); s != nil {
		remarks(i.b, i.b.Set("carrier", importer.String("ignore"), s.Place), s)
	}
}

// patience sets how long a new director waits.
func (i *instance) patience() {
	for _, word := range [...]string{"vrrp_startup_delay", "vrrp_delay_after_boot"} {
		if s := i.r.globals.ask(word); s != nil {
			if t, ok := i.span(s, 1); ok && t > 0 {
				i.b.Set("link_up_delay", importer.Duration(t), s.Place)
			}
		}
	}
}

// protocol sets the version of VRRP, which is 2 where nothing is said.
func (i *instance) protocol() {
	i.version = 2
	s := i.last("version")
	if s == nil {
		s = i.r.globals.ask("vrrp_version")
	}
	if s != nil {
		if n, ok := i.whole(s, 1, 2, 3); ok {
			i.version = n
		}
	}
	if i.six {
		i.version = 3
	}
	a := i.b.Set("version", importer.Number(i.version), places(s)...)
	if s != nil {
		remarks(i.b, a, s)
	}
}

// rank sets the priority.
func (i *instance) rank() {
	i.priority = 100
	state, s := i.last("state"), i.last("priority")
	switch {
	case state == nil || state.Arg(1) == "BACKUP":
	case state.Arg(1) == "MASTER":
		i.master = state
	default:
		i.note(state, "keepalived has the states MASTER and BACKUP, and takes any other word for BACKUP; with lvsd, the priority alone decides")
	}
	given := false
	if s != nil {
		if n, ok := i.whole(s, 1, 1, 255); ok {
			i.priority, given = n, true
		}
	}
	if !given && i.master != nil {
		i.priority = 255
	}
	if i.priority == 255 {
		i.priority, i.owner = 254, true
		at := s
		if !given {
			at = i.master
		}
		i.lose(importer.Differs, at, "with priority 255 keepalived is the owner of addresses that it sets itself, and takes them over without listening first; lvsd's owner has them as its own and keeps them for good, so this director has 254", "Give all others a lower priority.")
	}
	a := i.b.Set("priority", importer.Number(i.priority), places(s, state)...)
	for _, at := range [...]*Statement{state, s} {
		if at != nil {
			remarks(i.b, a, at)
		}
	}
}

// times sets the interval of adverts, and how many may be missed.
func (i *instance) times() {
	interval := time.Second
	if s := i.last("advert_int"); s != nil {
		switch t, ok := i.span(s, 1); {
		case !ok:
		case t < 10*time.Millisecond || t > 255*time.Second:
			i.lose(importer.Note, s, "a time from 0.01 to 255 s was expected, and keepalived has an advert every second instead", "")
		default:
			interval = i.rounded(s, t)
		}
		remarks(i.b, i.b.Set("advert_interval", importer.Duration(interval), s.Place), s)
	}
	s := i.last("down_timer_adverts")
	if s == nil {
		s = i.r.globals.ask("vrrp_down_timer_adverts")
	}
	if s != nil {
		if n, ok := i.whole(s, 1, 1, 100); ok {
			remarks(i.b, i.b.Set("missed_adverts", importer.Number(n), s.Place), s)
		}
	}
}

// rounded is an interval as adverts of the version can tell it.
func (i *instance) rounded(s *Statement, t time.Duration) time.Duration {
	step, most := 10*time.Millisecond, 40950*time.Millisecond
	if i.version == 2 {
		step, most = time.Second, 255*time.Second
	}
	as := min(max(t.Round(step), step), most)
	if as != t {
		i.note(s, "adverts of version "+decimal(i.version)+" cannot tell this interval, and keepalived rounds it as well")
	}
	return as
}

// preemption sets whether a better director takes over.
func (i *instance) preemption() {
	no, delay := i.last("nopreempt"), i.last("preempt_delay")
	off := no != nil && i.master == nil && !i.owner
	switch {
	case off:
		remarks(i.b, i.b.Set("preempt", importer.Bool(false), no.Place), no)
	case no != nil:
		i.note(no, "with state MASTER, or as the owner, keepalived passes over it")
	}
	for _, s := range i.take("preempt") {
		i.note(s, "it is the default")
	}
	if delay == nil {
		return
	}
	t, ok := i.span(delay, 1)
	switch {
	case !ok:
	case off || i.master != nil:
		i.note(delay, "without preemption, or with state MASTER, keepalived passes over it")
	default:
		remarks(i.b, i.b.Set("preempt_delay", importer.Duration(min(t, 1000*time.Second)), delay.Place), delay)
	}
}

// virtualMAC sets whether the addresses have a MAC address of their own.
func (i *instance) virtualMAC() {
	base := i.flag("vmac_xmit_base")
	if i.vmac == nil {
		if base != nil {
			i.note(base, "without use_vmac, it has no effect")
		}
		return
	}
	if i.advertised == 0 {
		for _, s := range [...]*Statement{i.vmac, base} {
			if s != nil {
				i.lose(importer.Lost, s, "a virtual MAC address is that of addresses which are advertised, and there are none", "")
			}
		}
		return
	}
	b := i.b.Block("virtual_mac").Of(i.vmac.Place).Note(comments(i.vmac)...)
	b.Set("device", importer.String(i.virtual), append(i.named, i.vmac.Place)...)
	if base != nil {
		b.Set("adverts_from_interface", importer.Bool(true), base.Place)
	}
}

// routesOnVirtual has routes on the device of use_vmac track nothing: it follows the interface,
// which is tracked anyway, and with lvsd it is up only while the addresses are there.
func (i *instance) routesOnVirtual() {
	for _, it := range i.b.Items {
		if b, is := it.(*importer.Block); is && b.Kind == "route" && i.vmac != nil && valueOf(b, "interface") == i.virtual && b.Get("track") == nil {
			b.Set("track", importer.Bool(false), i.vmac.Place)
		}
	}
}

// virtualDevice reads the name of the device that has the virtual MAC address.
func (i *instance) virtualDevice() {
	if i.vmac = i.last("use_vmac"); i.vmac == nil {
		return
	}
	device := "vrrp." + decimal(i.id)
	if s := i.r.globals.ask("vmac_prefix"); s != nil && len(s.Words) > 1 {
		device, i.named = s.Words[1]+"."+decimal(i.id), places(s)
	} else if i.six {
		device = "vrrp6." + decimal(i.id)
	}
	words := i.vmac.Args()
	for at := 0; at < len(words); at++ {
		switch word := words[at]; {
		case word == "name" && at+1 < len(words):
			at++
			device = words[at]
		case word == "netlink_notify_msg":
		case word == "group":
			at++
			i.loseText(importer.Lost, i.vmac, spaced(words[at-1:]), "the device is in no group of links", "")
		case strings.Count(word, ":") >= 4:
			i.loseText(importer.Lost, i.vmac, word, "the MAC address is always that of the virtual router (RFC 9568 section 7.3)", "")
		default:
			device = word
		}
	}
	for n := 1; !i.isNew("device " + device); n++ {
		i.loseText(importer.Differs, i.vmac, device, "another virtual router has a device of this name", "")
		device = "vrrp." + decimal(i.id) + "." + decimal(n)
	}
	i.virtual = device
}

// acceptance sets whether packets for the addresses are accepted.
func (i *instance) acceptance() {
	yes, no := i.last("accept"), i.last("no_accept", "noaccept")
	strict := i.last("strict_mode")
	if strict == nil {
		strict = i.r.globals.ask("vrrp_strict")
	}
	from := places(no)
	if strict != nil && i.on(strict) && yes == nil {
		from = append(from, strict.Place)
	} else if strict != nil {
		i.note(strict, "lvsd always keeps to the RFC")
	}
	switch {
	case len(from) > 0:
		i.b.Set("accept", importer.Bool(false), from...)
		if yes != nil {
			i.note(yes, "no_accept is said as well, and counts")
		}
	case yes != nil:
		i.note(yes, "it is the default")
	}
}
