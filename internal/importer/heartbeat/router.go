package heartbeat

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lvsd/lvsd/internal/importer"
)

// A group is what a node has: all lines of haresources that begin with it.
type group struct {
	node      string
	lines     []*line
	addresses []*address
	resources []resource
}

// groups reads haresources.
func (w *walk) groups(list []*line) (all []*group, err error) {
	moves := 0
	for _, l := range list {
		node, known := w.node(l.words[0])
		switch {
		case len(l.words) < 2:
			return nil, refuse(l.Place, "the name of a node and what it has, such as an address, was expected")
		case isAddress(l.words[0]):
			return nil, refuse(l.Place, "the name of a node was expected before %s", bounded(l.words[0]))
		case !known && len(w.named) > 0:
			return nil, refuse(l.Place, "%s is no node of %s", bounded(node), w.named[0].File)
		}
		if err := w.add(l, node); err != nil {
			return nil, err
		}
		i := slices.IndexFunc(all, func(g *group) bool { return g.node == node })
		if i < 0 {
			i, all = len(all), append(all, &group{node: node})
		}
		if moves += len(l.words); moves > maxMoves {
			return nil, refuse(l.Place, "more than %d things move", maxMoves)
		}
		if err := w.has(all[i], l); err != nil {
			return nil, err
		}
	}
	var addresses []*address
	for _, g := range all {
		addresses = append(addresses, g.addresses...)
	}
	for _, a := range addresses {
		w.guess(a, addresses)
	}
	return all, nil
}

// has adds a line to what a node has.
func (w *walk) has(g *group, l *line) error {
	g.lines = append(g.lines, l)
	for _, word := range l.words[1:] {
		r, err := resourceOf(l, word)
		if err != nil {
			return err
		}
		if !r.isIP() {
			g.resources = append(g.resources, r)
			continue
		}
		a, err := addressOf(l, strings.Join(r.args, "::"))
		if err != nil {
			return err
		}
		if !w.twice(l, word, "address "+a.ip.String()) {
			g.addresses = append(g.addresses, a)
		}
	}
	return nil
}

// firstID is the id of the first virtual router.
const firstID = 51

// The bounds of lvsd's times between adverts.
const (
	shortest = 10 * time.Millisecond
	longest  = 40950 * time.Millisecond
	mostLost = 100
)

// router makes a virtual router of what a node has. If it is the only one, what it asks stands in
// it.
func (w *walk) router(g *group, id int, pings []pinged, only bool) *importer.Block {
	b := importer.NewBlock("virtual_router", g.node).Of(places(g.lines...)...)
	for _, l := range g.lines {
		b.Note(l.notes...)
	}
	first := g.lines[0]
	if len(g.lines) > 1 {
		w.once(importer.Note, g.lines[1], g.lines[1].text, "all that a node has moves as one in Heartbeat, too, and is one virtual router with its first line", "")
	}
	device := w.device(g)
	b.Set("interface", importer.String(device), first.Place)
	b.Set("id", importer.Number(id), first.Place)
	w.once(importer.Note, first, first.words[0], "Heartbeat has no ids; here they begin with 51", "Take others if a virtual router on the same network has them.")
	weight := w.priority(b, g, len(pings))
	w.times(b)
	w.addresses(b, g.addresses, device)
	w.peers(b, device)
	for _, p := range pings {
		t := b.Block("track", "ping", p.name)
		t.Set("weight", importer.Number(weight), places(w.ipfail)...)
		if only {
			w.ask(t, p)
		}
	}
	w.resources(b, g.resources, device)
	w.authentication(b)
	return b
}

// device chooses the interface of a virtual router: that of its addresses, rather of one of
// IPv4, since the adverts are.
func (w *walk) device(g *group) string {
	for _, any := range [...]bool{false, true} {
		for _, a := range g.addresses {
			if a.device != "" && (any || a.ip.Is4()) {
				return a.device
			}
		}
	}
	if len(w.media) > 0 {
		return w.media[0].device
	}
	return "eth0"
}

// priority has the node of a line come first, and returns what a ping node without an answer
// changes.
func (w *walk) priority(b *importer.Block, g *group, pings int) (weight int) {
	const highest = 150
	first := g.lines[0]
	step, weight := 50, 0
	if pings > 0 || len(w.nodes) > 3 {
		step, weight = w.steps(pings)
	}
	i := slices.IndexFunc(g.resources, resource.runs)
	preempts := w.failback && i < 0
	if w.failback && i >= 0 {
		w.lose(importer.Differs, first, g.resources[i].text, "preempt is false here, although auto_failback is on: a director that preempts does not wait until the other one has stopped what it runs", "\"lvsd failover\" on the other director brings it back.")
	}
	if pings > 0 && i >= 0 {
		w.once(importer.Differs, w.ipfail, w.ipfail.text, "with preempt = false, a Master that reaches less keeps what it has while it is alive", "\"lvsd failover\" there hands it over.")
	}
	if pings > 0 && i < 0 && !w.failback {
		// Nobody preempts a Master of the same priority, so it moves only if somebody reaches more.
		preempts = true
		b.Set("priority", importer.Number(highest), places(append(w.named, first, w.said["auto_failback"])...)...)
		w.once(importer.Note, w.ipfail, w.ipfail.text, "all directors have the same priority, so that nothing goes back by itself and whoever reaches more is Master; where all start at once, the highest address decides", "")
	} else {
		values := map[string]importer.Value{g.node: importer.Number(highest)}
		for _, n := range w.nodes {
			if n != g.node {
				values[n] = importer.Number(highest - step*len(values))
			}
		}
		b.Set("priority", importer.ByNode(values), places(append(w.named, first)...)...)
	}
	b.Set("preempt", importer.Bool(preempts), places(w.said["auto_failback"])...)
	return weight
}

// times sets how often there are adverts, and how many may be missed.
func (w *walk) times(b *importer.Block) {
	every := min(max(w.keepalive.Round(shortest), shortest), longest)
	if w.deadtime > mostLost*every {
		every = min((w.deadtime/mostLost + shortest - 1).Truncate(shortest), longest)
		if l := w.said["keepalive"]; l != nil {
			w.once(importer.Note, l, l.text, "advert_interval is longer, since "+strconv.Itoa(mostLost)+" adverts may be missed at most, and deadtime is kept", "")
		}
	}
	b.Set("advert_interval", importer.Duration(every), places(w.said["keepalive"])...)
	missed := b.Set("missed_adverts", importer.Number(min(max(int(w.deadtime/every), 1), mostLost)), places(w.said["deadtime"])...)
	if w.said["deadtime"] == nil {
		missed.Comment = "Heartbeat's default for deadtime: " + importer.Duration(w.deadtime).Text
	}
	start := w.initdead
	if start == 0 && w.deadtime <= 10*time.Second {
		start = max(2*w.deadtime, 12*time.Second)
	}
	if start > w.deadtime {
		up := b.Set("link_up_delay", importer.Duration(min(start, time.Hour)), places(w.said["initdead"])...)
		up.Comment = "initdead"
		if l := w.said["initdead"]; l != nil {
			w.once(importer.Note, l, l.text, "link_up_delay counts from when the machine was started or the interface came up, and not from when lvsd was started", "")
		}
		if w.initdead == 0 {
			up.Comment = "Heartbeat's default for initdead"
		}
	} else if l := w.said["initdead"]; l != nil {
		w.once(importer.Note, l, l.text, "it is no longer than deadtime, which is waited for anyway", "")
	}
}
