package heartbeat

import (
	"net/netip"

	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/importer"
)

// Options are what importing has of this machine.
type Options struct {
	// Resolve returns an address of a host, of one family. Without it, hosts that have
	// names are told.
	Resolve func(host string, ipv6 bool) (netip.Addr, error)
	// Network returns the interface of this machine whose network an address belongs to,
	// and the length of the network's prefix. Without it, what haresources leaves to the
	// machine is told.
	Network func(netip.Addr) (device string, bits int, ok bool)
	// Script reports whether a script is in this machine's /etc/ha.d/resource.d. Without it,
	// those that come with Heartbeat are known.
	Script func(name string) bool
	// Node is the one whose ha.cf is among the files; empty: that of all.
	Node string
	// Services are the names of ldirectord's files that are imported, too.
	Services []string
}

// A walk goes over what was read, and has what was made of it so far.
type walk struct {
	importer.Result
	Options
	cluster
	keys     *keyring
	all      []*line
	director *importer.Block  // nil while nothing is said about the daemon as a whole
	moved    map[string]*line // addresses and resources, with the first line that names each
	told     map[string]bool  // what is told once
}

// lose notes that something of a line did not come along, or not exactly so.
func (w *walk) lose(kind importer.Kind, l *line, text, reason, remedy string) {
	w.Losses = append(w.Losses, importer.Loss{Place: l.Place, Kind: kind, Text: bounded(text), Reason: reason, Remedy: remedy})
}

func (w *walk) note(l *line, reason string) { w.lose(importer.Note, l, l.text, reason, "") }

// once is lose for what concerns more than one line: the first one tells it.
func (w *walk) once(kind importer.Kind, l *line, text, reason, remedy string) {
	if !w.told[reason] {
		w.told[reason] = true
		w.lose(kind, l, text, reason, remedy)
	}
}

// foreign tells of a word by the table of those that lvsd does not have.
func (w *walk) foreign(kind importer.Kind, l *line, shown string) {
	f, _ := config.Foreign(program, l.words[0])
	if f.Counterpart {
		f.Fate = "what it says is not taken over"
	}
	w.lose(kind, l, shown, f.Fate, f.Advice)
}

// whole returns the block director, which is there from now on.
func (w *walk) whole() *importer.Block {
	if w.director == nil {
		w.director = importer.NewBlock("director")
	}
	return w.director
}

// twice reports whether something moves by another line already, and tells it.
func (w *walk) twice(l *line, text, what string) bool {
	if first := w.moved[what]; first != nil {
		w.lose(importer.Differs, l, text, "it moves by another line already, and belongs to one virtual router here", "Write a sync_group of the virtual routers that need it.")
		return true
	}
	w.moved[what] = l
	return false
}

// address returns the address of a host.
func (w *walk) address(host string, ipv6 bool) (a netip.Addr, ok bool) {
	a, err := netip.ParseAddr(host)
	if err != nil && w.Resolve != nil {
		a, err = w.Resolve(host, ipv6)
	}
	a = a.Unmap()
	return a, err == nil && a.Zone() == "" && a.Is6() == ipv6
}
