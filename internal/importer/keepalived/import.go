package keepalived

import (
	"slices"
	"strings"

	"github.com/lvsd/lvsd/internal/importer"
)

// Import makes lvsd's configuration of keepalived's, for the director that would start
// it with these options.
func Import(files Files, path string, o Options) (importer.Result, error) {
	top, losses, err := Parse(files, path, o)
	if err != nil {
		return importer.Result{}, err
	}
	w := &walk{Options: o, top: top}
	w.Losses = losses
	importVRRP(top, w)
	importLVS(top, w)
	seen := w.Accounted()
	for _, s := range top {
		w.overlooked(s, seen, notUnderstood)
	}
	if len(w.heading) > 0 && len(w.Blocks) > 0 {
		b := w.Blocks[0]
		b.Comment = append(w.heading, b.Comment...)
	}
	w.Losses = toldOnce(w.Losses)
	return w.Result, nil
}

// toldOnce leaves out of losses that a line belongs to what did not come along, if the same line was
// told before.
func toldOnce(losses []importer.Loss) []importer.Loss {
	type line struct {
		importer.Place
		text string
	}
	told := map[line]bool{}
	return slices.DeleteFunc(losses, func(l importer.Loss) bool {
		at := line{l.Place, l.Text}
		again := told[at] && strings.HasPrefix(l.Reason, belongs)
		told[at] = true
		return again
	})
}

// The reasons of last resort.
const (
	notUnderstood = "it was not understood"
	inBraces      = "nothing is expected in braces here, and keepalived reads it as if it stood outside of them"
)

// overlooked notes what has become of nothing, which is a mistake of this package, but
// none of the user's: nothing is dropped silently. A block is there where a line of it is.
func (w *walk) overlooked(s *Statement, seen map[importer.Place]bool, reason string) (known bool) {
	known = seen[s.Place]
	within := reason
	if known {
		within = inBraces
	}
	for _, inner := range s.Block {
		known = w.overlooked(inner, seen, within) || known
	}
	if !known && (len(s.Block) > 0 || !s.HasBlock) {
		w.gone(importer.Lost, s, reason)
	}
	return known
}
