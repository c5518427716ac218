package keepalived

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/lvsd/lvsd/internal/importer"
)

// A part is a real server while its block is made.
type part struct {
	*importer.Block
	up, drain     bool
	checks, hooks []*importer.Block
}

// inner writes the blocks in a service.
func (l *lvs) inner(b *importer.Block, v *virtualServer, e entry) {
	var parts []*part
	names := map[string]bool{}
	seen := map[netip.AddrPort]bool{}
	for _, r := range v.servers {
		if p := l.server(v, e, r, names, seen); p != nil {
			parts = append(parts, p)
		}
	}
	l.start(b, v, parts)
	checks, hooks := common(parts, func(p *part) *[]*importer.Block { return &p.checks }), common(parts, func(p *part) *[]*importer.Block { return &p.hooks })
	for _, c := range checks {
		b.Items = append(b.Items, c)
	}
	l.hook(b, "quorum_reached", v, v.up)
	l.hook(b, "quorum_lost", v, v.down)
	for _, h := range hooks {
		b.Items = append(b.Items, h)
	}
	for _, p := range parts {
		for _, inner := range slices.Concat(p.checks, p.hooks) {
			p.Items = append(p.Items, inner)
		}
		b.Items = append(b.Items, p.Block)
	}
	l.fallback(b, v, e, seen)
}

// start writes how servers begin, and what becomes of those that fail: what all have is the
// service's.
func (l *lvs) start(b *importer.Block, v *virtualServer, parts []*part) {
	if len(parts) == 0 {
		return
	}
	all := func(of func(*part) bool) bool {
		return !slices.ContainsFunc(parts, func(p *part) bool { return !of(p) })
	}
	words := map[bool]string{true: "up", false: "check"}
	up := all(func(p *part) bool { return p.up }) || !v.alpha.given && !all(func(p *part) bool { return !p.up })
	b.Set("initial", importer.String(words[up]), v.alpha.from...)
	failure := map[bool]string{true: "drain", false: "remove"}
	drain := all(func(p *part) bool { return p.drain }) || v.inhibit.given && !all(func(p *part) bool { return !p.drain })
	b.Set("on_failure", importer.String(failure[drain]), v.inhibit.from...)
	for _, p := range parts {
		if p.up != up {
			p.Set("initial", importer.String(words[p.up]))
		}
		if p.drain != drain {
			p.Set("on_failure", importer.String(failure[p.drain]))
		}
	}
}

// server makes the block of a real server.
func (l *lvs) server(v *virtualServer, e entry, r *realServer, names map[string]bool, seen map[netip.AddrPort]bool) *part {
	m := r.method.or(v.method)
	if !l.usable(r.head, r.addr, m.orValue(method{forward: "nat"}), v.six(e)) || !l.isFirst(r.head, e.destination(r.addr, r.port, m), seen) {
		return nil
	}
	b := importer.NewBlock("real_server", serverName(r, names)).Of(r.head.Place).Note(r.head.Comment...)
	if b.Labels[0] != r.addr.String() {
		b.Set("address", importer.String(r.addr.String()), r.head.Place)
	}
	if r.addr.Is6() != v.six(e) {
		l.mixed = v.head
	}
	port := l.serverPort(b, r.head, e, r.port, m)
	put(b, "weight", r.weight.or(v.weight), importer.Number)
	l.thresholds(b, r)
	if r.method.given && r.method.value != v.method.orValue(method{forward: "nat"}) {
		forward(b, r.method, v.method.orValue(method{forward: "nat"}), "")
	}
	for _, from := range [][]importer.Place{r.name.from, r.loop.from, r.timeout.from, r.delay.from, r.retry.from, r.host.from, r.alpha.from, r.inhibit.from, r.method.from} {
		b.Of(from...)
	}
	p := &part{Block: b, drain: r.inhibit.or(v.inhibit).value, up: true}
	for _, c := range r.checks {
		if c.head.Words[0] != "FILE_CHECK" && c.alpha.or(r.alpha).or(v.alpha).value {
			p.up = false
		}
		p.checks = append(p.checks, l.checkBlocks(target{v: v, r: r, c: c, port: port})...)
	}
	if len(p.checks) == 0 {
		p.checks = append(p.checks, importer.NewBlock("check", "none"))
	}
	on := importer.NewBlock("")
	l.hook(on, "up", v, r.up)
	l.hook(on, "down", v, r.down)
	for _, it := range on.Items {
		p.hooks = append(p.hooks, it.(*importer.Block))
	}
	return p
}

// usable reports whether the kernel can forward to an address.
func (l *lvs) usable(s *Statement, a netip.Addr, m method, six bool) bool {
	switch {
	case a.Is6() != six && m.forward != "tunnel":
		l.lose(importer.Lost, s, "it has another family than the service, which needs a tunnel, so the kernel refuses it", "")
	case a.IsUnspecified() || a.IsMulticast() || a == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		l.lose(importer.Lost, s, "it can be no machine's address", "")
	case a.IsLoopback() && m.forward == "nat":
		l.lose(importer.Lost, s, "the kernel translates to a loopback address for this director alone, so it serves nobody else with keepalived, either", "Write one of this director's other addresses.")
	default:
		return true
	}
	l.drop(importer.Note, s)
	return false
}

// destination is what a server is in the kernel's table.
func (e entry) destination(a netip.Addr, port uint16, m setting[method]) netip.AddrPort {
	if m.orValue(method{forward: "nat"}).forward != "nat" || port == 0 {
		port = e.port
	}
	return netip.AddrPortFrom(a, port)
}

// isFirst reports whether a server is the first one that is this in the table.
func (l *lvs) isFirst(s *Statement, d netip.AddrPort, seen map[netip.AddrPort]bool) bool {
	if seen[d] {
		l.skip(s, "the service has "+d.String()+" already, so keepalived's later one is not in the table, either")
		return false
	}
	seen[d] = true
	return true
}

// serverName returns the name of a server in its service.
func serverName(r *realServer, names map[string]bool) string {
	name := r.name.orValue(r.addr.String())
	if names[name] && r.port != 0 {
		name = netip.AddrPortFrom(r.addr, r.port).String()
	}
	return unique(names, name)
}

// unique returns a name that nobody has yet.
func unique(names map[string]bool, name string) string {
	as := name
	for n := 2; names[as]; n++ {
		as = fmt.Sprintf("%s-%d", name, n)
	}
	names[as] = true
	return as
}

// serverPort writes the port of a server, and returns the one that it has. Only NAT translates it.
func (l *lvs) serverPort(b *importer.Block, s *Statement, e entry, port uint16, m setting[method]) uint16 {
	switch {
	case m.orValue(method{forward: "nat"}).forward == "nat" && port != 0 && port != e.port:
		b.Set("port", importer.Number(port), s.Place)
		return port
	case port != 0 && port != e.port && e.mark == 0:
		l.lose(importer.Note, s, fmt.Sprintf("packets keep the port %d of the service, in keepalived as well; its checks ask the port that is written here", e.port), "")
	}
	return e.port
}

// thresholds writes the numbers of connections between which a server gets no new ones.
func (l *lvs) thresholds(b *importer.Block, r *realServer) {
	if r.lower.value > r.upper.value {
		l.lose(importer.Lost, r.head, "the kernel refuses an lthreshold above the uthreshold, so keepalived's server is not in the table", "Write upper_threshold and lower_threshold.")
		b.Of(r.upper.from...).Of(r.lower.from...)
		return
	}
	put(b, "upper_threshold", r.upper, importer.Number)
	put(b, "lower_threshold", r.lower, importer.Number)
}

// fallback writes the block of a sorry server.
func (l *lvs) fallback(b *importer.Block, v *virtualServer, e entry, seen map[netip.AddrPort]bool) {
	s := v.sorry
	if s == nil {
		return
	}
	b.Of(s.inhibit.from...).Of(s.method.from...)
	m := s.method.or(v.method)
	if !l.usable(s.head, s.addr, m.orValue(method{forward: "nat"}), v.six(e)) {
		return
	}
	if seen[e.destination(s.addr, s.port, m)] {
		l.lose(importer.Lost, s.head, "it is one of the real servers, which serves as long as it is up, and last if the others are down", "Remove that real_server, and write a fallback with a check of its own.")
		return
	}
	if s.addr.Is6() != v.six(e) {
		l.mixed = v.head
	}
	f := b.Block("fallback").Of(s.head.Place).Note(s.head.Comment...)
	f.Set("address", importer.String(s.addr.String()), s.head.Place)
	l.serverPort(f, s.head, e, s.port, s.method.or(v.method))
	if s.method.given && s.method.value != v.method.orValue(method{forward: "nat"}) {
		forward(f, s.method, v.method.orValue(method{forward: "nat"}), "")
	}
	if s.inhibit.given {
		f.Block("check", "none").Of(s.inhibit.from...).Note("It stays in the table, with weight 0 while it is not needed.")
	}
}

// common takes the blocks that all servers have out of them, and returns them.
func common(parts []*part, of func(*part) *[]*importer.Block) []*importer.Block {
	if len(parts) == 0 || len(*of(parts[0])) == 0 {
		return nil
	}
	first := *of(parts[0])
	for _, p := range parts[1:] {
		if !slices.EqualFunc(first, *of(p), (*importer.Block).Alike) {
			return nil
		}
	}
	for _, p := range parts[1:] {
		for i, b := range *of(p) {
			first[i].Absorb(b)
		}
	}
	for _, p := range parts {
		*of(p) = nil
	}
	return first
}
