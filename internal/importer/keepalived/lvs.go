package keepalived

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/lvsd/lvsd/internal/importer"
)

// lvsWords are the words at the top level that importLVS takes; all others are importVRRP's.
var lvsWords = []string{"virtual_server", "virtual_server_group", "SSL"}

// lvs is what of a configuration is about virtual servers.
type lvs struct {
	*walk
	servers  []*virtualServer
	groups   map[string]*serverGroup
	tls      tlsFiles
	files    map[string]*trackedFile // by the names of track_file
	user     setting[program]        // script_user
	notify   setting[bool]           // rs_init_notifies
	nftables setting[bool]           // nftables_ipvs
	mixed    *Statement              // a virtual server with servers of both families
	names    map[string]bool
	keys     map[string]*listened    // by protocol and port, or mark
	told     map[string]bool         // what was said once
	used     map[importer.Place]bool // of what is said elsewhere, and counts here
}

// A trackedFile is a track_file block.
type trackedFile struct {
	head   *Statement
	path   setting[string]
	weight setting[fileWeight]
}

// decides reports whether the number in the file takes the server out of a check, rather than
// changing its weight. Without a word, the weight is 1.
func (f *trackedFile) decides(c *checker) bool {
	w := c.weight.or(f.weight)
	return strings.HasPrefix(f.path.value, "/") && w.given && w.value.factor == 0
}

// program is what looks whether the number in the file is 0, or with reverse, whether it is not.
func (f *trackedFile) program(reverse bool) []string {
	script := `! grep -qsE '^[[:space:]]*[-+]?0*[1-9]' "$0"`
	if reverse {
		script = strings.TrimPrefix(script, "! ")
	}
	return []string{"/bin/sh", "-c", script, f.path.value}
}

// trackedFile remembers a file by its name. What becomes of the block is importVRRP's.
func (l *lvs) trackedFile(s *Statement) {
	f := &trackedFile{head: s}
	for _, inner := range s.Block {
		switch inner.Words[0] {
		case "file":
			f.path.take(inner, inner.Arg(1))
		case "weight":
			if w, ok := fileWeightOf(inner); ok {
				f.weight.take(inner, w)
			}
		}
	}
	l.files[s.Arg(1)] = f
}

// globals remembers what is said for all scripts.
func (l *lvs) globals(s *Statement) {
	for _, inner := range s.Block {
		switch inner.Words[0] {
		case "script_user":
			l.user.take(inner, program{user: inner.Arg(1), group: inner.Arg(2)})
		case "rs_init_notifies":
			l.notify.take(inner, true)
		case "nftables_ipvs":
			l.nftables.take(inner, true)
		}
	}
}

// uses notes places that count here, whatever importVRRP says of them.
func (l *lvs) uses(from []importer.Place) {
	for _, p := range from {
		l.used[p] = true
	}
}

// once tells something that concerns many statements at the first of them.
func (l *lvs) once(what string, kind importer.Kind, s *Statement, reason, remedy string) {
	if !l.told[what] {
		l.told[what] = true
		l.lose(kind, s, reason, remedy)
	}
}

// put gives an argument the value of a setting, if it was said.
func put[T any](b *importer.Block, name string, o setting[T], value func(T) importer.Value) {
	if o.given {
		b.Set(name, value(o.value), o.from...).Comment = o.comment
	}
}

func addrValue(a netip.Addr) importer.Value { return importer.String(a.String()) }

// hook writes what is run when a state is reached.
func (l *lvs) hook(b *importer.Block, on string, v *virtualServer, p setting[program]) {
	if !p.given {
		return
	}
	h := b.Block("on", on).Of(p.from...)
	l.run(h, v.head, p)
	switch on {
	case "up":
		if l.uses(l.notify.from); v.alpha.given || l.notify.given {
			h.Set("at_start", importer.Bool(true), slices.Concat(v.alpha.from, l.notify.from)...)
		}
	case "quorum_reached":
		h.Set("at_start", importer.Bool(true), v.alpha.from...)
	default:
		if on == "quorum_lost" && v.alpha.given {
			l.lose(importer.Differs, v.head, "keepalived runs quorum_down also when it starts, before the first server is up; here, it is run when the quorum is lost", "")
		}
		if v.omega.given {
			h.Set("at_stop", importer.Bool(true), v.omega.from...)
		}
	}
}

// run writes a program, and whom it runs as.
func (l *lvs) run(b *importer.Block, s *Statement, p setting[program]) {
	a := b.Set("run", importer.Strings(p.value.run...), p.from...)
	a.Comment = p.comment
	user, group := p.value.user, p.value.group
	if user == "" {
		user, group = l.user.value.user, l.user.value.group
		b.Of(l.user.from...)
		l.uses(l.user.from)
	}
	if user == "" {
		if !l.asked {
			l.asked = true
			l.lose(importer.Differs, s, "keepalived runs its programs as the user keepalived_script, or as root where there is none, and lvsd without any privileges where no user is written",
				`Write user = "…" in each block that runs a program, and see lvsd's drop-in programs.conf, without which lvsd cannot become another user.`)
		}
		return
	}
	b.Set("user", importer.String(user))
	l.once("become", importer.Note, s, "lvsd must be able to become "+user+", which the unit that is shipped does not let it", "Install the drop-in programs.conf of the unit.")
	if group != "" && group != user {
		l.once("group "+group, importer.Differs, s, "programs have the groups that their user has, and not "+group+" alone", "")
	}
}

// forward writes a forwarding method, and how its tunnel wraps packets. Otherwise it is that of
// the block around.
func forward(b *importer.Block, o setting[method], otherwise method, why string) {
	m := o.orValue(otherwise)
	a := b.Set("forward", importer.String(m.forward), o.from...)
	a.Comment = o.comment
	if !o.given {
		a.Comment = why
	}
	if plain := m.tunnel == "ipip" && (otherwise.forward != "tunnel" || otherwise.tunnel == "ipip"); plain || m.forward != "tunnel" {
		return
	}
	t := b.Block("tunnel")
	t.Set("type", importer.String(m.tunnel), o.from...)
	if m.port != 0 {
		t.Set("port", importer.Number(m.port), o.from...)
	}
	if m.checksum != "" {
		t.Set("checksum", importer.String(m.checksum), o.from...)
	}
}
