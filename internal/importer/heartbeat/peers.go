package heartbeat

import (
	"net/netip"
	"slices"

	"github.com/lvsd/lvsd/internal/importer"
)

// peers sets to whom adverts are sent, where the nodes hear each other by unicast alone on the
// interface.
func (w *walk) peers(b *importer.Block, device string) {
	var list []netip.Addr
	var from []*line
	for _, m := range w.media {
		if !m.peer.IsValid() && m.device == device {
			return // Everybody there hears what is multicast.
		}
		if m.peer.Is4() && m.device == device && !slices.Contains(list, m.peer) {
			list, from = append(list, m.peer), append(from, m.line)
		}
	}
	switch {
	case len(list) == 0:
		return
	case len(list) == len(w.nodes) && len(list) > 1:
		b.Set("peers", w.others(list, from[0]), places(from...)...)
	default:
		b.Set("peers", importer.Strings(texts(list)...), places(from...)...)
		if w.Node == "" {
			w.once(importer.Differs, from[0], from[0].text, "these are the other nodes for one of them, and all directors of lvsd have the same files", "Give ha.cf of each: --node lvs1=FILE --node lvs2=FILE.")
		}
	}
}

// others are the addresses of all nodes but each itself, which are in ha.cf of all of them.
func (w *walk) others(list []netip.Addr, l *line) importer.Value {
	owner := map[string]netip.Addr{}
	for _, n := range w.nodes {
		if a, ok := w.address(n, false); ok && slices.Contains(list, a) {
			owner[n] = a
		}
	}
	if len(owner) < len(w.nodes)-1 {
		w.once(importer.Differs, l, l.text, "which of these addresses is whose is not in ha.cf, and they are taken in the order of the nodes", "See that peers has the other directors' addresses for each.")
		for i, n := range w.nodes {
			owner[n] = list[i]
		}
	}
	values := map[string]importer.Value{}
	for _, n := range w.nodes {
		theirs := slices.DeleteFunc(slices.Clone(list), func(a netip.Addr) bool {
			if own, known := owner[n]; known {
				return a == own
			}
			return !slices.ContainsFunc(w.nodes, func(o string) bool { return owner[o] == a })
		})
		values[n] = importer.Strings(texts(theirs)...)
	}
	return importer.ByNode(values)
}

func texts(list []netip.Addr) (all []string) {
	for _, a := range list {
		all = append(all, a.String())
	}
	return all
}
