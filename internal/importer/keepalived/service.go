package keepalived

import (
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lvsd/lvsd/internal/importer"
)

// readLVS reads what is about virtual servers.
func readLVS(top []*Statement, w *walk) *lvs {
	l := &lvs{walk: w, groups: map[string]*serverGroup{}, files: map[string]*trackedFile{}, names: map[string]bool{}, keys: map[string]*listened{}, told: map[string]bool{}, used: map[importer.Place]bool{}}
	for _, s := range top {
		switch s.Words[0] {
		case "virtual_server":
			if v := readVirtual(w, s); v != nil {
				l.servers = append(l.servers, v)
			}
		case "virtual_server_group":
			l.group(readGroup(w, s))
		case "SSL":
			l.tls.head = s
			readBlock(w, s, &l.tls, tlsWords())
		case "track_file", "vrrp_track_file":
			l.trackedFile(s)
		case "global_defs":
			l.globals(s)
		}
	}
	return l
}

// importLVS adds the virtual services.
func importLVS(top []*Statement, w *walk) {
	l := readLVS(top, w)
	before := len(w.Losses)
	l.write()
	if l.mixed != nil {
		l.dropSync()
	}
	unused := slices.DeleteFunc(l.notify.from, func(p importer.Place) bool { return l.used[p] })
	l.uses(unused)
	w.Losses = slices.DeleteFunc(append(w.Losses[:before], distinct(w.Losses[before:])...), func(o importer.Loss) bool { return l.used[o.Place] })
	for _, p := range unused {
		w.Losses = append(w.Losses, importer.Loss{Place: p, Kind: importer.Note, Text: "rs_init_notifies", Reason: "no real server has a program for it"})
	}
}

// dropSync takes out what has connections told of, where the kernel refuses to: while a service
// has servers of another family.
func (l *lvs) dropSync() {
	if l.director == nil {
		return
	}
	l.director.Items = slices.DeleteFunc(l.director.Items, func(it importer.Item) bool {
		b, is := it.(*importer.Block)
		if !is || b.Kind != "connection_sync" {
			return false
		}
		lost := importer.Result{Blocks: []*importer.Block{b}}
		for p := range lost.Accounted() {
			l.Losses = append(l.Losses, importer.Loss{Place: p, Kind: importer.Lost, Text: "lvs_sync_daemon",
				Reason: "the kernel starts no sync daemon while a service has real servers of the other family, as that at " + placeOf(l.mixed) + " has, so keepalived's does not run, either"})
		}
		return true
	})
}

// distinct returns losses without those that come again because a group is several blocks.
func distinct(losses []importer.Loss) (out []importer.Loss) {
	seen := map[importer.Loss]bool{}
	for _, l := range losses {
		if !seen[l] {
			seen[l] = true
			out = append(out, l)
		}
	}
	return out
}

// group remembers a group.
func (l *lvs) group(g *serverGroup) {
	if g == nil {
		return
	}
	if first := l.groups[g.head.Arg(1)]; first != nil {
		l.skip(g.head, "a group of that name is already at line "+strconv.Itoa(first.head.Line)+", and keepalived takes that one as well")
		return
	}
	l.groups[g.head.Arg(1)] = g
}

// write writes all services.
func (l *lvs) write() {
	for _, v := range l.servers {
		all := []entry{{s: v.head, first: v.addr, last: v.addr, port: v.port, mark: v.mark}}
		if v.group != "" {
			g := l.groups[v.group]
			if g == nil {
				l.skip(v.head, "there is no virtual_server_group of that name, and keepalived passes over it as well")
				continue
			}
			g.used, all = true, g.entries
		}
		all = slices.DeleteFunc(slices.Clone(all), func(e entry) bool { return l.taken(v, e) })
		if len(all) == 0 && v.group != "" {
			l.skip(v.head, "nothing of its group is left")
		}
		for _, b := range batches(all) {
			l.service(v, b)
		}
	}
	for _, name := range sortedKeys(l.groups) {
		if g := l.groups[name]; !g.used {
			l.skip(g.head, "no virtual_server has this group")
		}
	}
	if l.tls.head != nil && !l.told["tls"] {
		l.skip(l.tls.head, "no SSL_GET asks for it")
	}
}

// taken notes what a virtual server listens to, and tells where another one has it already.
func (l *lvs) taken(v *virtualServer, e entry) bool {
	key := v.protocol.orValue("udp") + strconv.Itoa(int(e.port))
	if e.mark != 0 {
		key = v.markFamily(e) + " mark " + strconv.FormatUint(uint64(e.mark), 10)
	}
	if l.keys[key] == nil {
		l.keys[key] = &listened{at: make(map[netip.Addr]entry)}
	}
	first, again := l.keys[key].add(e)
	if !again {
		return false
	}
	here := v.head
	if v.group != "" {
		here = e.s
	}
	l.dropBlock(importer.Lost, here, "the same virtual server is already at "+placeOf(first.s)+", and lvsd has each once", "Write all its servers into that one.")
	return true
}

// placeOf says where a statement is.
func placeOf(s *Statement) string { return s.File + ":" + strconv.Itoa(s.Line) }

// service writes the block of a batch of services.
func (l *lvs) service(v *virtualServer, of batch) {
	first := of.entries[0]
	b := importer.NewBlock("virtual_service", l.serviceName(v, of))
	l.origin(b, v, of)
	l.key(b, v, of)
	l.kernel(b, v, first)
	l.policy(b, v)
	l.inner(b, v, first)
	for _, it := range []*[]importer.Place{&v.name.from, &v.loop.from, &v.timeout.from, &v.delay.from, &v.retry.from, &v.host.from, &v.weight.from, &v.alpha.from, &v.omega.from, &v.inhibit.from, &v.method.from, &v.family.from, &v.protocol.from} {
		b.Of(*it...)
	}
	l.add(b)
}

// origin notes what the block of a batch was made of, with the comments that were there.
func (l *lvs) origin(b *importer.Block, v *virtualServer, of batch) {
	b.Of(v.head.Place)
	if of.first {
		b.Note(l.comments(v)...)
	}
	if g := l.groups[v.group]; g != nil {
		b.Of(g.head.Place)
		if of.first {
			b.Note(g.head.Comment...)
		}
	}
	for _, e := range of.entries {
		b.Of(e.s.Place)
		if e.s != v.head {
			b.Note(e.s.Comment...)
		}
	}
}

// key writes what belongs to a service: an address, a protocol and a port, or a mark.
func (l *lvs) key(b *importer.Block, v *virtualServer, of batch) {
	e := of.entries[0]
	if e.mark != 0 {
		b.Set("firewall_mark", importer.Number(e.mark), e.s.Place)
		b.Set("family", importer.String(v.markFamily(e)), v.family.from...)
		return
	}
	if of.size() == 1 {
		b.Set("address", importer.String(e.first.String()), e.s.Place)
	} else {
		var all []string
		for _, e := range of.entries {
			all = append(all, e.String())
		}
		b.Set("addresses", importer.Strings(all...))
		l.marked(b, v, of)
	}
	b.Set("port", importer.Number(e.port), e.s.Place)
	a := b.Set("protocol", importer.String(v.protocol.orValue("udp")), v.protocol.from...)
	a.Comment = v.protocol.comment
	if !v.protocol.given {
		a.Comment = "keepalived's, where there is no protocol"
	}
}

// marked writes whether the addresses of a batch are one service of the kernel's, as with
// keepalived's nftables_ipvs, or one each.
func (l *lvs) marked(b *importer.Block, v *virtualServer, of batch) {
	switch persistent := v.persistence.given || v.netmask.given || of.entries[0].port == 0; {
	case l.nftables.given:
		l.uses(l.nftables.from)
		b.Set("marked", importer.Bool(true), l.nftables.from...)
	case of.size() > maxAlone:
		l.lose(importer.Differs, of.entries[0].s, "these are more than "+strconv.Itoa(maxAlone)+" addresses, which are one service of the kernel by a firewall mark, and with keepalived one each", "")
	case persistent:
		b.Set("marked", importer.Bool(false))
	}
}

// kernel writes what else the kernel knows of a service.
func (l *lvs) kernel(b *importer.Block, v *virtualServer, e entry) {
	a := b.Set("scheduler", importer.String(v.scheduler.orValue("wlc")), v.scheduler.from...)
	a.Comment = v.scheduler.comment
	l.flags(b, v)
	forward(b, v.method, method{forward: "nat"}, "keepalived's, where there is no lvs_method")
	if v.onePacket.given {
		if e.mark == 0 && v.protocol.orValue("udp") != "udp" {
			b.Of(v.onePacket.from...)
			l.once("ops"+v.head.File+strconv.Itoa(v.head.Line), importer.Note, v.head, "ops is for UDP, and keepalived passes over it as well", "")
		} else {
			put(b, "one_packet", v.onePacket, importer.Bool)
		}
	}
	l.persistent(b, v, e)
}

// flags writes the scheduler's flags.
func (l *lvs) flags(b *importer.Block, v *virtualServer) {
	named := map[string]string{"flag-1": "fallback", "flag-2": "port", "sh-fallback": "fallback", "sh-port": "port", "mh-fallback": "fallback", "mh-port": "port"}
	hashes := v.scheduler.value == "sh" || v.scheduler.value == "mh"
	var list []string
	var from []importer.Place
	for _, f := range v.flags {
		name := f.value
		if hashes {
			name = named[f.value]
		}
		from = append(from, f.from...)
		if name != "" && !slices.Contains(list, name) {
			list = append(list, name)
		}
	}
	if len(list) > 0 {
		b.Set("scheduler_flags", importer.Strings(list...), from...)
	}
	b.Of(from...)
}

// persistent writes how long clients are remembered.
func (l *lvs) persistent(b *importer.Block, v *virtualServer, e entry) {
	timeout := v.persistence
	why := ""
	if !timeout.given && (v.netmask.given || e.mark == 0 && e.port == 0) {
		timeout.value, timeout.given, why = defaultPersistence*time.Second, true, "keepalived's, where there is no persistence_timeout"
	}
	if !timeout.given {
		b.Of(v.engine.from...)
		if v.engine.given {
			l.once("engine"+strconv.Itoa(v.head.Line), importer.Note, lineOf("persistence_engine", v.engine), "persistence_engine has no effect without persistence_timeout", "")
		}
		return
	}
	p := b.Block("persistence")
	a := p.Set("timeout", importer.Duration(timeout.value), timeout.from...)
	if a.Comment = timeout.comment; why != "" {
		a.Comment = why
	}
	if v.netmask.given && netmask(v.netmask.value, v.six(e)) {
		put(p, "netmask", v.netmask, importer.String)
	} else if v.netmask.given {
		p.Of(v.netmask.from...)
		l.once("netmask"+strconv.Itoa(v.head.Line), importer.Lost, lineOf("persistence_granularity", v.netmask), strconv.Quote(v.netmask.value)+" is no mask of a network, by which clients are grouped", `Write netmask = "255.255.255.0" in the persistence block.`)
	}
	switch udp := e.mark == 0 && v.protocol.orValue("udp") == "udp"; {
	case v.engine.given && v.engine.value == "sip" && udp:
		put(p, "engine", v.engine, importer.String)
	case v.engine.given:
		p.Of(v.engine.from...)
		l.once("engine"+strconv.Itoa(v.head.Line), importer.Lost, lineOf("persistence_engine", v.engine), "lvsd has the persistence engine sip alone, for UDP", "")
	}
}

// netmask reports whether a text is what clients are grouped by: a prefix length of IPv6, or a
// mask of IPv4 that is one.
func netmask(text string, six bool) bool {
	if six {
		n, err := strconv.Atoi(text)
		return err == nil && n >= 1 && n <= 128
	}
	a, err := netip.ParseAddr(text)
	if err != nil || !a.Is4() {
		return false
	}
	four := a.As4()
	n := uint32(four[0])<<24 | uint32(four[1])<<16 | uint32(four[2])<<8 | uint32(four[3])
	return n != 0 && ^n&(^n+1) == 0
}

// policy writes what follows from the state of the servers.
func (l *lvs) policy(b *importer.Block, v *virtualServer) {
	var sum uint64
	for _, r := range v.servers {
		sum += r.weight.or(v.weight).orValue(1)
	}
	quorum := min(v.quorum.orValue(1), sum)
	hysteresis := min(v.hysteresis.value, max(quorum, 1)-1)
	from := slices.Concat(v.quorum.from, v.hysteresis.from)
	b.Of(from...)
	if quorum > 1 || hysteresis > 0 {
		b.Set("min_healthy", quantity(quorum-hysteresis), from...).Comment = v.quorum.comment
		if v.sorry != nil {
			l.once("held", importer.Note, v.head, "while the sorry server serves, servers that are up keep their connections, with weight 0; keepalived takes them out", "")
		}
		if hysteresis > 0 {
			b.Set("recover_healthy", quantity(quorum+hysteresis), from...).Comment = v.hysteresis.comment
		}
	}
	if v.suspend.given && (v.mark != 0 || v.group != "" && l.marks(v.group)) {
		b.Of(v.suspend.from...)
		l.once("suspend"+strconv.Itoa(v.head.Line), importer.Note, v.head, "ha_suspend is not for firewall marks, and keepalived passes over it as well", "")
	} else {
		put(b, "ha_suspend", v.suspend, importer.Bool)
	}
}

// marks reports whether a group has firewall marks.
func (l *lvs) marks(name string) bool {
	g := l.groups[name]
	return g != nil && slices.ContainsFunc(g.entries, func(e entry) bool { return e.mark != 0 })
}

// quantity is a sum of weights.
func quantity(n uint64) importer.Value {
	return importer.String("weight " + strconv.FormatUint(n, 10))
}

// comments are those above a virtual server, but for one that became its name.
func (l *lvs) comments(v *virtualServer) (all []string) {
	for _, c := range v.head.Comment {
		if !isServiceName(c) {
			all = append(all, c)
		}
	}
	return all
}

// isServiceName reports whether a comment is a name: one word that is none of keepalived's.
func isServiceName(comment string) bool {
	if comment == "" || len(comment) > 40 || !letter(comment[0]) || serverWords()[comment] != nil || realWords()[comment] != nil {
		return false
	}
	return strings.Trim(comment, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == ""
}

func letter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// serviceName returns the name of a service, or what the names of several begin with: the one
// that it has for SNMP, one in a comment, its group's, or what it listens to.
func (l *lvs) serviceName(v *virtualServer, of batch) string {
	e := of.entries[0]
	name := v.name.value
	for _, c := range v.head.Comment {
		if name == "" && isServiceName(c) {
			name = c
		}
	}
	own := name != ""
	switch {
	case name == "" && v.group == "":
		name = keyName(e)
	case name == "":
		name = v.group
	}
	switch {
	case !of.several:
	case e.mark != 0 || len(of.entries) == 1 && e.size() == 1:
		name += "-" + keyName(e)
	default:
		name += "-" + strconv.Itoa(int(e.port)) + map[bool]string{true: "-ipv6"}[e.first.Is6()]
	}
	if p := v.protocol.orValue("udp"); e.mark == 0 && p != "tcp" && !own {
		name += "-" + p
	}
	return unique(l.names, name)
}

// keyName is what a service listens to, as a name.
func keyName(e entry) string {
	switch {
	case e.mark != 0:
		return "fwmark-" + strconv.FormatUint(uint64(e.mark), 10)
	case e.port == 0:
		return e.first.String()
	}
	return netip.AddrPortFrom(e.first, e.port).String()
}

func sortedKeys[T any](m map[string]T) []string { return slices.Sorted(maps.Keys(m)) }
