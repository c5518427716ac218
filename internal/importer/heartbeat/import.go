package heartbeat

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/lvsd/lvsd/internal/importer"
)

// Import makes lvsd's configuration of Heartbeat's files, for all of its nodes, whose names it
// returns. What Heartbeat refuses is an error with a place.
func Import(files []File, o Options) (importer.Result, []string, error) {
	w, groups, err := begin(files, o)
	if err == nil {
		err = w.routers(groups)
	}
	if err != nil {
		return importer.Result{}, nil, err
	}
	w.rest()
	return w.Result, w.nodes, nil
}

// Outline returns what Heartbeat makes of its files: the addresses, each as it says itself, and
// not as Import writes it.
func Outline(files []File, o Options) (out importer.Outline, err error) {
	_, groups, err := begin(files, o)
	for i, g := range groups {
		for _, a := range g.addresses {
			device := cmp.Or(a.device, "the interface of its route")
			if a.bits >= 0 {
				out.Address(a.Place, netip.PrefixFrom(a.ip, a.bits), device, firstID+i)
				continue
			}
			out = append(out, importer.Row{Place: a.Place, About: importer.OfAddresses, Key: "address " + a.ip.String() + " on " + device, Value: "the mask of its route"})
		}
	}
	return out, err
}

// begin reads the files.
func begin(files []File, o Options) (*walk, []*group, error) {
	w := &walk{Options: o, moved: map[string]*line{}, told: map[string]bool{}}
	w.cluster = cluster{keepalive: time.Second, deadtime: 30 * time.Second, failback: true, said: map[string]*line{}}
	haresources, err := w.read(files)
	if err != nil {
		return nil, nil, err
	}
	groups, err := w.groups(haresources)
	if err != nil {
		return nil, nil, err
	}
	if node, known := w.node(o.Node); o.Node != "" && !known {
		return nil, nil, fmt.Errorf("%s is no node of these files, which have %s", node, strings.Join(w.nodes, ", "))
	}
	return w, groups, nil
}

// read reads the files, and returns the lines of haresources.
func (w *walk) read(files []File) (haresources []*line, err error) {
	var seen [LDirectord + 1]string
	for _, f := range files {
		if len(f.Text) > maxBytes {
			return nil, refuse(importer.Place{File: f.Name, Line: 1}, "the file has more than %d bytes", maxBytes)
		}
		kind := KindOf(f)
		if seen[kind] != "" {
			return nil, refuse(importer.Place{File: f.Name, Line: 1}, "this is one more %s, beside %s: give one of each, and ha.cf of several directors by --node NAME=FILE", [...]string{"ha.cf", "haresources", "authkeys", "ldirectord.cf"}[kind], seen[kind])
		}
		seen[kind] = f.Name
		list := lines(f, kind)
		w.all = append(w.all, list...)
		switch kind {
		case HACF:
			err = w.cf(list)
		case HAResources:
			haresources = list
		case AuthKeys:
			if w.keys, err = readKeys(f, list); err == nil {
				w.guarded(f)
			}
		default:
			err = refuse(importer.Place{File: f.Name, Line: 1}, "this is a file of ldirectord: lvsd import ldirectord")
		}
		if err != nil {
			return nil, err
		}
	}
	if len(haresources) == 0 {
		return nil, errors.New("haresources, which names what moves, is not among the files, or has no lines: lvsd import heartbeat ha.cf haresources authkeys")
	}
	return haresources, nil
}

// routers makes a virtual router of what each node has. What several of them ask stands beside
// them.
func (w *walk) routers(groups []*group) error {
	l := groups[0].lines[0]
	if len(w.named) == 0 {
		w.lose(importer.Differs, l, l.words[0], "ha.cf, which names the nodes, is not among the files or has no line node", "Give it, or write the priority of each director: priority = { lvs1 = 150, lvs2 = 100 }[node.name].")
	}
	if w.said["auto_failback"] == nil {
		w.lose(importer.Note, l, "auto_failback", "nothing says it, and Heartbeat's default is legacy: what has moved goes back to its node", "")
	}
	pings, err := w.watched()
	if err != nil {
		return err
	}
	for i, g := range groups {
		if len(g.addresses) == 0 {
			for _, l := range g.lines {
				w.lose(importer.Lost, l, l.text, "what a virtual router starts goes with its addresses, and this node has none", "Write it in a virtual_router that has one.")
			}
			continue
		}
		w.Blocks = append(w.Blocks, w.router(g, firstID+i, pings, len(groups) == 1))
	}
	for _, p := range pings {
		if len(groups) > 1 {
			b := importer.NewBlock("condition", "ping", p.name)
			w.ask(b, p)
			w.Blocks = append(w.Blocks, b)
		}
	}
	if w.director != nil {
		w.Blocks = append([]*importer.Block{w.director}, w.Blocks...)
	}
	return nil
}

// rest tells of the lines that nothing was made of.
func (w *walk) rest() {
	accounted := w.Accounted()
	used := map[string]bool{}
	for _, b := range w.Blocks {
		if b.Kind == "virtual_router" {
			used[b.Get("interface").Value.Text] = true
		}
	}
	for _, m := range w.media {
		shown := m.text
		if !m.peer.IsValid() {
			shown = m.words[0] + " " + m.device
		}
		switch {
		case accounted[m.Place] && m.peer.IsValid():
		case !used[m.device]:
			w.lose(importer.Lost, m.line, shown, "adverts go by the interface of a virtual router alone, so that a broken network there is not bridged by "+bounded(m.device), "Write interface = \""+bounded(m.device)+"\" and extra_address for the addresses elsewhere, or bond the interfaces.")
		case m.words[0] == "ucast6":
			w.note(m.line, "adverts are IPv4's")
		default:
			w.lose(importer.Note, m.line, shown, "adverts are multicast on this interface, to 224.0.0.18", "")
		}
	}
	accounted = w.Accounted()
	for _, l := range w.all {
		if !accounted[l.Place] {
			w.note(l, "nothing makes use of it")
		}
	}
}
