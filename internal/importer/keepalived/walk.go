package keepalived

import (
	"strings"

	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/importer"
)

// A walk goes over statements, and has what was made of them so far.
type walk struct {
	importer.Result
	director *importer.Block // nil while nothing is said about the daemon as a whole
}

// Words are the words that may begin a statement, with what is made of it. What is made
// has the statement's place, or is a loss.
type words map[string]func(*walk, *Statement)

// each goes over statements. Words that are not in the table are told as losses.
func (w *walk) each(list []*Statement, known words) {
	for _, s := range list {
		if make := known[s.Words[0]]; make != nil {
			make(w, s)
		} else {
			w.foreign(s)
		}
	}
}

// add adds a block at the top level.
func (w *walk) add(b *importer.Block) *importer.Block {
	w.Blocks = append(w.Blocks, b)
	return b
}

// lose notes that a statement did not come along, or not exactly so.
func (w *walk) lose(kind importer.Kind, s *Statement, reason, remedy string) {
	w.loseText(kind, s, s.Raw, reason, remedy)
}

// loseText is lose for a part of a statement, or for one that shows a secret.
func (w *walk) loseText(kind importer.Kind, s *Statement, text, reason, remedy string) {
	w.Losses = append(w.Losses, importer.Loss{Place: s.Place, Kind: kind, Text: text, Reason: reason, Remedy: remedy})
}

// note notes that a statement makes no difference here.
func (w *walk) note(s *Statement, reason string) { w.lose(importer.Note, s, reason, "") }

// foreign notes a statement for which there is no rule, and all that is in its block, by
// the table of words that have no counterpart.
func (w *walk) foreign(s *Statement) {
	f, known := config.Foreign("keepalived", s.Words[0])
	reason, remedy := f.Fate, f.Advice
	switch {
	case !known:
		reason = "it is no word of keepalived's here, which passes over it as well"
	case f.Counterpart:
		reason = "it is not imported"
	}
	w.lose(importer.Lost, s, reason, remedy)
	for _, inner := range s.Block {
		w.inside(s, inner)
	}
}

// inside notes what stands in a block that did not come along.
func (w *walk) inside(outer, s *Statement) {
	w.lose(importer.Lost, s, "it belongs to "+outer.Words[0]+", which did not come along", "")
	for _, inner := range s.Block {
		w.inside(outer, inner)
	}
}

// extra notes the words of a statement after those that were read.
func (w *walk) extra(s *Statement, read int) {
	if len(s.Words) > read {
		w.loseText(importer.Note, s, strings.Join(s.Words[read:], " "), "nothing is expected here after "+strings.Join(s.Words[:read], " ")+", and keepalived passes over it", "")
	}
}
