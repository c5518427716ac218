package ldirectord

import (
	"github.com/lvsd/lvsd/internal/importer"
)

// Import makes lvsd's configuration of ldirectord's: the text of a file, by its name.
// What ldirectord refuses is an error with a place.
func Import(name string, source []byte, o Options) (importer.Result, error) {
	f, err := parse(name, source)
	if err != nil {
		return importer.Result{}, err
	}
	w := &walk{Options: o, file: f, told: map[importer.Loss]bool{}, names: map[string]bool{}, seen: map[string]*service{}, found: map[asking]*line{}}
	for i, s := range f.services {
		if i == 0 {
			w.serial(s)
		}
		if err := w.service(s); err != nil {
			return importer.Result{}, err
		}
	}
	w.stop()
	w.whole()
	return w.Result, nil
}

// stop sets what becomes of the table when the daemon stops.
func (w *walk) stop() {
	if len(w.Blocks) == 0 {
		return
	}
	l := w.last(nil, "cleanstop")
	keep := l.is("no", "yes")
	for _, s := range w.file.services {
		if o := w.of(s, "cleanstop"); o != nil && (o.value == "no") != keep {
			w.lose(importer.Differs, o, "all services have one setting for this", "Write keep_table in the director block.")
		} else if o != nil {
			w.note(o, "all services have this setting")
		}
	}
	b := importer.NewBlock("director").Of(places(l)...)
	b.Set("keep_table", importer.Bool(keep), places(l)...)
	if !keep {
		b.Note("As cleanstop of ldirectord: nothing is left in the table after a stop.")
		w.Blocks = append([]*importer.Block{b}, w.Blocks...)
	} else {
		w.note(l, "lvsd leaves its table when it stops, as well")
	}
}

// serial tells that checks do not wait for each other.
func (w *walk) serial(s *service) {
	if !w.forks() {
		w.lose(importer.Note, s.line, "ldirectord checks one server after the other, and a server that hangs delays all; lvsd checks each on its own, so that the times count as they are written", "")
	}
	if l := w.last(nil, "fork"); l != nil {
		w.note(l, "lvsd always checks each server on its own")
	}
}

// whole tells of the words for all services, and puts the comments of the file where they
// are read first.
func (w *walk) whole() {
	w.rest()
	notes := w.file.heading
	for _, l := range w.file.all {
		notes = append(notes, l.above...)
	}
	if len(w.Blocks) > 0 && len(notes) > 0 {
		notes = append(notes, "")
		w.Blocks[0].Comment = append(notes, w.Blocks[0].Comment...)
	}
}
