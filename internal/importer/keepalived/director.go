package keepalived

import (
	"slices"
	"strings"
	"time"

	"github.com/lvsd/lvsd/internal/importer"
)

// process makes the block director of what concerns the daemon as a whole.
func (g *globals) process(list []*instance) {
	g.sync(list)
	g.oldSync(list)
	g.timeouts()
	if s := g.last("lvs_flush_on_stop", "lvs_flush_onstop"); s != nil {
		remarks(g.settings(s.Place), g.settings().Set("keep_table", importer.Bool(false), s.Place), s)
	}
	if s := g.last("vrrp_cpu_affinity"); s != nil && len(s.Words) == 1 {
		g.note(s, "it names no processor")
	} else if s != nil {
		remarks(g.settings(s.Place), g.settings().Set("keeper_processors", importer.String(strings.Join(s.Args(), ",")), s.Place), s)
	}
	for _, s := range g.take("vrrp_garp_master_refresh_repeat") {
		g.note(s, asRepeated)
	}
	for _, s := range g.take("lvs_flush") {
		g.note(s, "lvsd corrects the table that it finds at its start, and has nothing to flush")
	}
}

// rest tells of what nobody has asked for.
func (g *globals) rest() {
	seen := g.Accounted()
	for _, s := range g.all {
		if g.used[s] && !seen[s.Place] {
			g.note(s, "no vrrp_instance here makes use of it")
		}
	}
	for _, word := range globalWords {
		for _, s := range g.take(word) {
			kind, reason, remedy := g.fate(word)
			if kind != importer.Note {
				reason, remedy = "no vrrp_instance here makes use of it", ""
			}
			g.lose(importer.Note, s, reason, remedy)
		}
	}
	g.section.rest()
	b := &importer.Block{}
	g.leftover(b)
	g.heading = append(g.heading, b.Comment...)
}

// timeouts makes the timeouts of IPVS of lvs_timeouts.
func (g *globals) timeouts() {
	s := g.last("lvs_timeouts")
	if s == nil {
		return
	}
	if len(s.Words) == 1 {
		g.note(s, "it sets nothing")
	}
	names := map[string]string{"tcp": "tcp_timeout", "tcpfin": "tcp_fin_timeout", "udp": "udp_timeout"}
	for i := 1; i < len(s.Words); i += 2 {
		name := names[s.Words[i]]
		if name == "" {
			g.extra(s, i)
			return
		}
		if n, ok := g.whole(s, i+1, 0, 744*3600); ok && n > 0 {
			b := g.settings(s.Place).One("ipvs").Of(s.Place)
			remarks(b, b.Set(name, importer.Duration(time.Duration(n)*time.Second), s.Place), s)
		}
	}
}

// sync makes connection_sync of lvs_sync_daemon.
func (g *globals) sync(list []*instance) {
	s := g.last("lvs_sync_daemon")
	if s == nil {
		return
	}
	of, from := syncedWith(s, list)
	if of == nil {
		g.lose(importer.Lost, s, "it names no vrrp_instance of this configuration, and lvsd lets the role of a virtual router decide which director tells of connections", `Write connection_sync { router = "outside" interface = "eth1" } in the director block, with the name of a virtual_router.`)
		return
	}
	b := g.settings(s.Place).One("connection_sync").Of(s.Place).Note(comments(s)...)
	b.Set("router", importer.String(of.name), s.Place)
	b.Set("interface", importer.String(s.Arg(1)), s.Place)
	b.Set("id", importer.Number(of.id), s.Place)
	if from == 2 {
		g.lose(importer.Differs, s, "no vrrp_instance is named, so keepalived runs both sync daemons all the time; here the role of "+of.name+" decides", "")
		b.Set("id", importer.Number(0), s.Place)
	}
	for i := from; i < len(s.Words); i += 2 {
		if !g.syncWord(b, s, i) {
			g.extra(s, i)
			return
		}
	}
}

// oldSync makes connection_sync of what a vrrp_instance itself says of the sync daemon, as
// was usual once.
func (g *globals) oldSync(list []*instance) {
	synced := slices.ContainsFunc(g.all, func(s *Statement) bool { return s.Is("lvs_sync_daemon") })
	for _, i := range list {
		switch s := i.syncs; {
		case s == nil:
		case synced:
			g.lose(importer.Lost, s, "there is one sync daemon only, which follows another vrrp_instance", "")
		default:
			b := g.settings(s.Place).One("connection_sync").Of(s.Place).Note(comments(s)...)
			b.Set("router", importer.String(i.name), s.Place)
			b.Set("interface", importer.String(s.Arg(1)), s.Place)
			b.Set("id", importer.Number(i.id), s.Place)
			g.extra(s, 2)
			synced = true
		}
	}
}

// syncedWith returns the virtual router that a sync daemon follows, and the place of the
// first word after it. It is the only one, where none is named.
func syncedWith(s *Statement, list []*instance) (of *instance, from int) {
	for _, at := range [...]int{2, 3} {
		for _, i := range list {
			if at < len(s.Words) && i.name == s.Words[at] && (at == 2 || s.Words[2] == "inst") {
				return i, at + 1
			}
		}
	}
	named := len(s.Words) > 2 && s.Words[2] == "inst"
	if len(list) == 1 && !named && len(s.Words) > 1 {
		return list[0], 2
	}
	return nil, 0
}

// syncWord reads one word of lvs_sync_daemon and its value.
func (g *globals) syncWord(b *importer.Block, s *Statement, at int) bool {
	highest := map[string]int{"id": 255, "port": 65535, "ttl": 255}
	switch word := s.Words[at]; word {
	case "group":
		b.Set("group", importer.String(s.Arg(at+1)), s.Place)
	case "maxlen":
		g.loseText(importer.Note, s, "maxlen "+s.Arg(at+1), "lvsd chooses the size of messages by the interface", "")
	case "id", "port", "ttl":
		if n, ok := g.whole(s, at+1, 0, highest[word]); ok {
			b.Set(word, importer.Number(n), s.Place)
		}
	default:
		return false
	}
	return true
}
