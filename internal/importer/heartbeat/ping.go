package heartbeat

import (
	"slices"
	"time"

	"github.com/lvsd/lvsd/internal/importer"
)

// A pinged is a ping node or a group of them, of which one must answer.
type pinged struct {
	*line
	name  string
	hosts []string
}

// watched are the ping nodes that ipfail watches.
func (w *walk) watched() (all []pinged, err error) {
	for _, l := range w.pings {
		list := []pinged{{l, l.arg(1), l.words[min(2, len(l.words)):]}}
		if l.words[0] != "ping_group" {
			list = nil
			for _, host := range l.words[1:] {
				list = append(list, pinged{l, host, []string{host}})
			}
		}
		for _, p := range list {
			switch {
			case len(all) == maxPings:
				return nil, refuse(l.Place, "there are more than %d ping nodes", maxPings)
			case slices.ContainsFunc(all, func(o pinged) bool { return o.name == p.name }):
				w.lose(importer.Note, l, p.name, "it is asked already", "")
			case w.ipfail == nil:
				w.lose(importer.Note, l, l.text, "nothing makes use of it without ipfail (respawn hacluster /usr/lib/heartbeat/ipfail)", "")
			default:
				if p.hosts = w.known(p); len(p.hosts) > 0 {
					all = append(all, p)
				}
			}
		}
	}
	if w.ipfail != nil && len(all) == 0 {
		w.note(w.ipfail, "there is nothing that it could ask")
	}
	return all, nil
}

// known are the addresses of what is asked.
func (w *walk) known(p pinged) (all []string) {
	for _, host := range p.hosts {
		a, ok := w.address(host, p.words[0] == "ping6")
		switch {
		case !ok:
			w.lose(importer.Lost, p.line, host, "the address of this host is not known", "Write its address in the addresses of the condition.")
		case !slices.Contains(all, a.String()):
			all = append(all, a.String())
		}
	}
	return all
}

// ask sets what is asked, and how often.
func (w *walk) ask(b *importer.Block, p pinged) {
	dead := w.deadping
	if dead == 0 {
		dead = w.deadtime
	}
	every := min(max(w.keepalive.Round(time.Millisecond), 10*time.Millisecond), 24*time.Hour)
	b.Of(p.Place).Note(p.notes...)
	b.Set("addresses", importer.Strings(p.hosts...), p.Place)
	b.Set("interval", importer.Duration(every), places(w.said["keepalive"])...)
	b.Set("timeout", importer.Duration(every))
	b.Set("rise", importer.Number(1))
	b.Set("fall", importer.Number(min(max(int(dead/every), 1), 1000)), places(w.said["deadping"], w.said["deadtime"])...)
}

// steps are what lies between the priorities of two nodes, and what a priority changes by for each
// ping node that does not answer: more than that between any two nodes, so that whoever reaches
// more of them is Master.
func (w *walk) steps(pings int) (step, weight int) {
	const highest = 150
	for _, step := range [...]int{10, 2, 1} {
		weight := step * max(2, len(w.nodes))
		if pings*weight+step*len(w.nodes) < highest {
			return step, -weight
		}
	}
	return 1, -max(2, len(w.nodes)) // Where most of them are lost, the priorities end at 1.
}
