package ldirectord

import (
	"slices"

	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/importer"
)

// A walk goes over what was read, and has what was made of it so far.
type walk struct {
	importer.Result
	Options
	file    *file
	told    map[importer.Loss]bool // nothing is told twice
	names   map[string]bool        // of services
	seen    map[string]*service    // by protocol, address and port, or by mark
	servers int
	found   map[asking]*line
	began   int // how many losses there were before the service that is made
}

// lose notes that a line did not come along, or not exactly so.
func (w *walk) lose(kind importer.Kind, l *line, reason, remedy string) {
	loss := importer.Loss{Place: l.Place, Kind: kind, Text: l.text, Reason: reason, Remedy: remedy}
	if !w.told[loss] {
		w.told[loss] = true
		w.Losses = append(w.Losses, loss)
	}
}

func (w *walk) note(l *line, reason string) { w.lose(importer.Note, l, reason, "") }

// asking is a word that is looked for: in a service, or without one before the first.
type asking struct {
	*service
	word string
}

// last returns the last line of a service with a word, which counts in ldirectord, or without a
// service that for all; nil if there is none.
func (w *walk) last(s *service, word string) (found *line) {
	list := w.file.all
	if s != nil {
		list = s.all
	}
	found, known := w.found[asking{s, word}]
	if known { // A service may have 65,536 lines, for each of which this is asked.
		return found
	}
	for _, l := range slices.Backward(list) {
		switch {
		case l.word != word:
		case found == nil:
			found = l
		default:
			w.note(l, "the same is said again further down, and the last one counts")
		}
	}
	w.found[asking{s, word}] = found
	return found
}

// of returns a service's line with a word.
func (w *walk) of(s *service, word string) *line { return w.last(s, word) }

// either returns a service's line with a word, or that for all services.
func (w *walk) either(s *service, word string) *line {
	if l := w.of(s, word); l != nil {
		return l
	}
	return w.last(nil, word)
}

// is reports whether a line has a value; a line that is not there has one that it
// is given.
func (l *line) is(value, absent string) bool {
	if l == nil {
		return absent == value
	}
	return l.value == value
}

// places are those of lines, but for those that are nil.
func places(list ...*line) (all []importer.Place) {
	for _, l := range list {
		if l != nil {
			all = append(all, l.Place)
		}
	}
	return all
}

// harmless are words that change nothing of what runs.
var harmless = []string{"load", "logfile", "supervised", "fork", "readdquiescent"}

// rest tells of all lines that nothing was made of.
func (w *walk) rest() {
	accounted := w.Accounted()
	for _, l := range w.file.all {
		if !accounted[l.Place] {
			w.unused(l, false)
		}
	}
	for _, s := range w.file.services {
		for _, l := range s.all {
			if !accounted[l.Place] {
				w.unused(l, true)
			}
		}
	}
}

// unused tells of a line that nothing was made of.
func (w *walk) unused(l *line, inside bool) {
	f, known := config.Foreign("ldirectord", l.word)
	switch {
	case l.word == "readdquiescent":
		w.note(l, "a server that somebody else removes from the table is put back as its checks say")
	case known && !f.Counterpart && slices.Contains(harmless, l.word):
		w.lose(importer.Note, l, f.Fate, f.Advice)
	case l.word == "autoreload" && l.value == "no":
		w.note(l, "lvsd reads a file again when it is told to, as well")
	case l.word == "netmask":
		w.note(l, "without persistent, ldirectord makes no use of it")
	case l.word == "checkinterval" && inside:
		w.note(l, "without fork = yes, ldirectord has one interval for all services, and passes over this one")
	case known && !f.Counterpart:
		w.lose(importer.Lost, l, f.Fate, f.Advice)
	default:
		w.note(l, "the services and checks here have no use for it")
	}
}

// first returns the first of these lines that is there.
func first(list ...*line) *line {
	for _, l := range list {
		if l != nil {
			return l
		}
	}
	return nil
}
