package keepalived

import (
	"cmp"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lvsd/lvsd/internal/importer"
)

// trackKinds are the lists of conditions, with lvsd's kind of condition and the blocks
// that define them.
var trackKinds = []struct {
	list, kind string
	defined    []string
	weight     string // without any
}{
	{"track_interface", "interface", nil, ""},
	{"track_script", "exec", []string{"vrrp_script"}, ""},
	{"track_file", "file", []string{"track_file", "vrrp_track_file"}, "1"},
	{"track_process", "process", []string{"vrrp_track_process"}, ""},
}

// A tracker is what a block at the top level defines to be tracked.
type tracker struct {
	*section
	kind   string
	head   *Statement
	weight *Statement
	uses   []*importer.Block // the tracks that refer to it
}

// trackers are those of a configuration, by kind and name, and in the order of the file.
type trackers struct {
	by    map[string]*tracker
	order []*tracker
	index map[*Statement]int // the places of blocks among all
	at    int                // of the one that tracks
	own   map[string]bool    // interfaces of virtual routers, which are tracked anyway
}

func (t *trackers) add(key string, d *tracker) {
	t.by[key] = d
	t.order = append(t.order, d)
}

// readTrackers gathers what blocks define.
func readTrackers(w *walk, top *section) *trackers {
	all := &trackers{by: map[string]*tracker{}, own: map[string]bool{}, index: map[*Statement]int{}}
	for n, s := range top.all {
		all.index[s] = n
	}
	for _, k := range trackKinds {
		for _, s := range top.take(k.defined...) {
			name := s.Arg(1)
			if all.by[k.kind+" "+name] != nil {
				w.dropBlock(importer.Lost, s, "there is another one of that name above, which counts", "")
				continue
			}
			w.extra(s, 2)
			c := w.section(s.Block)
			all.add(k.kind+" "+name, &tracker{section: c, kind: k.kind, head: s, weight: c.last("weight")})
		}
	}
	for _, s := range top.lines("interface_up_down_delays") {
		all.add("delays "+s.Words[0], &tracker{section: w.section(nil), kind: "interface", head: s})
	}
	return all
}

// tracks makes track blocks of the lists in a vrrp_instance or vrrp_sync_group.
// Own interfaces are tracked anyway; the first of them is the virtual router's.
func (t *trackers) tracks(c *section, b *importer.Block, weighs bool, own ...string) {
	for _, k := range trackKinds {
		for _, s := range c.lines(k.list) {
			t.track(c, b, k.kind, cmp.Or(k.weight, "0"), s, weighs, own)
		}
	}
}

// track makes a track block of one line.
func (t *trackers) track(c *section, b *importer.Block, kind, weight string, s *Statement, weighs bool, own []string) {
	name := s.Words[0]
	d := t.by[kind+" "+name]
	if kind == "interface" {
		d = t.by["delays "+name]
	} else if d == nil {
		c.lose(importer.Lost, s, "nothing of that name is defined, and keepalived passes over it as well", "")
		return
	}
	if d != nil && kind != "interface" && t.index[d.head] > t.at {
		c.lose(importer.Differs, s, "keepalived knows only what is defined further up, and passes over this line; it is tracked here", "")
	}
	n, from, reverse := t.weight(c, d, weight, s)
	switch {
	case n != 0 && !weighs:
		c.lose(importer.Note, s, "keepalived passes over a weight in a member of a vrrp_sync_group", "")
		return
	case kind == "interface" && slices.Contains(own, name) && (n == 0 && !reverse || name != own[0]):
		b.Set("interface", importer.String(own[0]), s.Place)
		return
	case tracked(b, kind, name):
		c.note(s, "it is tracked already")
		return
	case kind == "file" && n == 0:
		c.lose(importer.Lost, s, "with a weight of 0 another number than 0 in the file is a fault, and lvsd has no such condition on numbers", "Write a program that reads the file, for track \"exec\", or a weight.")
		return
	}
	made := b.Block("track", kind, name).Of(s.Place).Of(from...).Note(comments(s)...)
	if n != 0 {
		made.Set("weight", importer.Number(min(max(n, -253), 253)), s.Place)
	}
	if reverse {
		made.Set("reverse", importer.Bool(true), s.Place)
	}
	if d != nil {
		d.uses = append(d.uses, made)
	}
}

// weight reads the weight of a line, or that of what it tracks. A weight that is none
// does not count, as with keepalived.
func (t *trackers) weight(c *section, d *tracker, otherwise string, s *Statement) (n int, from []importer.Place, reverse bool) {
	n, _ = strconv.Atoi(otherwise)
	if d != nil && d.weight != nil {
		from = places(d.weight)
		if given, ok := c.whole(d.weight, 1, -254, 254); ok {
			n, reverse = given, d.weight.Arg(2) == "reverse"
		}
	}
	words := s.Args()
	if len(words) > 1 && words[0] == "weight" {
		if given, ok := c.whole(s, 2, -254, 254); ok {
			n = given
		}
		if words = words[2:]; len(words) > 0 && (words[0] == "reverse" || words[0] == "noreverse") {
			reverse, words = words[0] == "reverse", words[1:]
		}
	}
	if len(words) > 0 {
		c.extra(s, len(s.Words)-len(words))
	}
	return n, from, reverse
}

// tracked reports whether a block tracks something already.
func tracked(b *importer.Block, kind, name string) bool {
	for _, it := range b.Items {
		if o, is := it.(*importer.Block); is && o.Kind == "track" && o.Labels[0] == kind && o.Labels[1] == name {
			return true
		}
	}
	return false
}

// define says what the conditions are that are tracked: in the track block, where there is
// one, and in a block of its own for several.
func (t *trackers) define(w *walk, g *globals) {
	for _, d := range t.order {
		if len(d.uses) == 0 && d.kind == "interface" && t.own[d.head.Words[0]] {
			w.lose(importer.Lost, d.head, "a virtual router follows its own interface at once", "Write link_up_delay in the virtual_router: how long it waits before it becomes Master after the interface came up.")
			continue
		}
		d.define(w, g)
	}
}

// define is trackers.define for one of them.
func (d *tracker) define(w *walk, g *globals) {
	into := &importer.Block{}
	switch len(d.uses) {
	case 0:
		w.note(d.head, "no vrrp_instance tracks it, and keepalived does not look at it either")
		for _, s := range d.head.Block {
			w.inside(importer.Note, d.head, s)
		}
		return
	case 1:
		into = d.uses[0]
	default:
		into = w.add(importer.NewBlock("condition", d.uses[0].Labels...))
	}
	into.Of(d.head.Place)
	into.Comment = append(comments(d.head), into.Comment...)
	own := into.Items // weight and reverse come last
	into.Items = nil
	switch {
	case d.kind == "interface":
		d.delays(into)
	case d.kind == "exec":
		d.script(g, into)
	case d.kind == "file":
		d.file(into)
	case d.kind == "process":
		d.process(into)
	}
	into.Items = append(into.Items, own...)
	d.rest()
	d.leftover(into)
}

// delays reads a line of interface_up_down_delays: how long it is down, and up.
func (d *tracker) delays(b *importer.Block) {
	s := d.head
	for i, name := range [...]string{1: "down_after", 2: "up_after"} {
		if i > 0 && (i < len(s.Words) || i == 1) {
			if t, ok := d.span(s, i); ok && t > 0 {
				b.Set(name, importer.Duration(t), s.Place)
			}
		}
	}
	if up := b.Get("up_after"); up == nil && b.Get("down_after") != nil {
		b.Set("up_after", b.Get("down_after").Value, s.Place)
	}
	d.extra(s, 3)
}

// script reads a vrrp_script.
func (d *tracker) script(g *globals, b *importer.Block) {
	s := d.last("script")
	if s == nil {
		s = d.head
		d.lose(importer.Lost, s, "it has no script, and keepalived passes over it", "")
		b.Set("run", importer.Strings("/bin/false"), s.Place)
	} else {
		if rest := d.program(b, s); len(rest) > 0 {
			d.loseText(importer.Note, s, spaced(rest), "without quotes around all of it, keepalived passes over what stands behind the program", "If the program is to have it, write each word as a text of its own in run.")
		}
		remarks(b, b.Get("run"), s)
	}
	if u := d.last("user"); u != nil {
		d.user(g, b, u, u.Args())
	} else {
		d.user(g, b, s, nil)
	}
	d.sees(b, s)
	interval := time.Second
	if i := d.last("interval"); i != nil {
		if t, ok := d.span(i, 1); ok && t > 0 {
			interval = t
			remarks(b, b.Set("interval", importer.Duration(t), i.Place), i)
		}
	}
	timeout, from := interval, []importer.Place(nil)
	if o := d.last("timeout"); o != nil {
		if t, ok := d.span(o, 1); ok && t > 0 {
			timeout, from = t, []importer.Place{o.Place}
		}
	}
	b.Set("timeout", importer.Duration(timeout), from...)
	for _, word := range [...]string{"rise", "fall"} {
		n, from := 1, []importer.Place(nil)
		if o := d.last(word); o != nil {
			from = []importer.Place{o.Place}
			if given, ok := d.whole(o, 1, 1, 1<<16-1); ok {
				n = given
			}
		}
		b.Set(word, importer.Number(n), from...)
	}
	if i := d.flag("init_fail"); i != nil {
		b.Set("initial", importer.String("unmet"), i.Place)
	}
}

// sees tells of a script that looks for processes, of which it sees its own user's.
func (d *tracker) sees(b *importer.Block, s *Statement) {
	run := b.Get("run").Value.List
	looks := func(v importer.Value) bool {
		return slices.Contains([]string{"killall", "pidof", "pgrep", "pkill"}, path.Base(v.Text))
	}
	if valueOf(b, "user") == "root" || len(run) == 0 || !looks(run[0]) {
		return
	}
	name := "haproxy"
	if last := run[len(run)-1].Text; len(run) > 1 && !strings.HasPrefix(last, "-") {
		name = path.Base(last)
	}
	d.lose(importer.Differs, s, "it looks for a process, and lvsd's unit hides those of other users from what it runs, so that none would be found", "Write track \"process\" \""+name+"\" {} in its place, and ProtectProc=default in a drop-in (systemctl edit lvsd).")
}

// file reads a track_file.
func (d *tracker) file(b *importer.Block) {
	s := d.last("file")
	if s == nil || len(s.Words) < 2 {
		d.lose(importer.Lost, d.head, "it names no file, and keepalived passes over it", "")
		s = &Statement{Place: d.head.Place, Words: []string{"file", "/nonexistent"}}
	}
	b.Set("path", importer.String(s.Words[1]), s.Place)
	b.Set("number", importer.Bool(true), s.Place)
	d.extra(s, 2)
	if i := d.last("init_file"); i != nil {
		d.lose(importer.Differs, i, "lvsd writes no files; while the file is missing, it counts as 0, and is a finding", "Let systemd-tmpfiles make it: f "+s.Words[1]+" 0644 root root - "+cmp.Or(i.Arg(1), "0"))
	}
}

// process reads a vrrp_track_process.
func (d *tracker) process(b *importer.Block) {
	s := d.last("process")
	if s == nil || len(s.Words) < 2 {
		d.lose(importer.Lost, d.head, "it names no process, and keepalived passes over it", "")
		s = &Statement{Place: d.head.Place, Words: []string{"process", d.head.Arg(1)}}
	}
	if s.Words[1] != d.head.Arg(1) {
		b.Set("program", importer.String(s.Words[1]), s.Place)
	}
	if len(s.Words) > 2 {
		b.Set("arguments", importer.Strings(s.Words[2:]...), s.Place)
		d.lose(importer.Differs, s, "keepalived wants just these arguments, and lvsd takes a process that has others as well", "")
	}
	b.Of(s.Place)
	for _, o := range [...]struct{ word, name string }{{"quorum", "minimum"}, {"quorum_max", "maximum"}} {
		if q := d.last(o.word); q != nil {
			if n, ok := d.whole(q, 1, 0, 32768); ok {
				d.processes(b, q, o.name, n)
			}
		}
	}
	for _, word := range [...]string{"delay", "fork_delay", "terminate_delay"} {
		if s := d.last(word); s != nil {
			if t, ok := d.span(s, 1); ok && word != "terminate_delay" {
				b.Set("up_after", importer.Duration(t), s.Place)
			}
			if t, ok := d.span(s, 1); ok && word != "fork_delay" {
				b.Set("down_after", importer.Duration(t), s.Place)
			}
		}
	}
	for _, s := range d.take("param_match") {
		d.lose(importer.Differs, s, "lvsd looks for the arguments, in their order, among those that a process has", "")
	}
	for _, s := range d.take("full_command") {
		d.note(s, "lvsd always knows a process by its command line")
	}
}

// processes sets how many processes there may be. At most none is the opposite of at least one.
func (d *tracker) processes(b *importer.Block, s *Statement, name string, n int) {
	if name == "maximum" && n == 0 {
		d.lose(importer.Lost, s, "a process that must not run is a condition that is reversed", "Write reverse = true in the track block.")
		return
	}
	b.Set(name, importer.Number(n), s.Place)
}
