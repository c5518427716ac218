package keepalived

import "github.com/lvsd/lvsd/internal/importer"

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
	return w.Result, nil
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
