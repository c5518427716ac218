package block

import (
	"maps"
	"slices"
)

// A Result is what one top-level item says.
type Result[R any] struct {
	Value R
	part
	// Key identifies what decides the meaning of a block that may be reused;
	// zero: it may not.
	Key Key
	// Reused is set where the block was not parsed: Value is zero then.
	Reused bool
	// Begin is where the block begins.
	Begin Place
	// Summary is what Parse wants to have next time in the place of the block;
	// nil: it can't be reused.
	Summary []byte
}

// Parse decodes all items, several at a time, and returns the results in the
// order of the files. The first is the one of the files themselves and of
// their locals. After MaxMistakes results are left out.
//
// decode adds to the value what one block says. It is called for the language's
// first blocks one after the other, and then for many others at once. known has the summaries of
// earlier calls by their keys; nil: there shall be neither keys nor summaries.
func Parse[R any](l *Language, s Sources, o Options, known map[Key][]byte, decode func(*Body, *R)) []Result[R] {
	sc, first := prepare(l, s, o)
	items := s.items()
	results := make([]Result[R], 1+len(items))
	results[0].part = first
	r := reuser{scope: sc, known: known}
	read := func(worker, i int) {
		o.reading(worker, items[i].head(items[i].chunk), items[i].header(items[i].text))
		results[1+i] = decodeItem(r, items[i], decode)
		o.reading(worker, Place{}, "")
	}
	files := slices.Clone(first.files)
	for i := range items {
		if items[i].kind == l.First {
			read(0, i)
			files = append(files, results[1+i].files...)
		}
	}
	r.recordContext(files)
	begun := onAllProcessors(len(items), MaxMistakes-first.Mistakes, func(worker, i int) int {
		if items[i].kind != l.First {
			read(worker, i)
		}
		return results[1+i].Mistakes
	})
	return results[:1+begun]
}

// decodeItem returns what an item says: by the summary of an earlier time, or
// by parsing it.
func decodeItem[R any](r reuser, it item, decode func(*Body, *R)) (out Result[R]) {
	out.Begin = Place{File: it.name, Line: it.line, Column: it.column, Start: it.start, End: it.start}
	if r.known != nil && it.kind == r.language.Reusable {
		out.Key = r.key(it.text[it.start:it.end])
		if old, ok := readSummary(r.known[out.Key], it); ok && unchanged(old.files) {
			out.part, out.Summary, out.Reused = old, r.known[out.Key], true
			return out
		}
	}
	d := newDecoder(r.scope)
	d.decode(it, func(b *Body) { decode(b, &out.Value) })
	out.part = d.part
	if out.Key != (Key{}) && out.Mistakes == 0 {
		out.Summary = out.summary(it)
	}
	return out
}

// decode calls f for the block of an item, and for several where the item is a
// dynamic block.
func (d *decoder) decode(it item, f func(*Body)) {
	defer d.survive(it.head(it.chunk), "block")
	tree, ok := d.parse(it.source, it.chunk)
	if !ok {
		return
	}
	top := Body{decoder: d, tree: tree, ctx: d.ctx}
	top.enter(d.language.Top)
	for i := range top.inner {
		b := &top.inner[i]
		if b.Type != it.kind && (b.Type == localsType || b.Type == d.language.First) {
			d.Mistake(b.Head, "Dynamic "+b.Type, "A %s block is evaluated before anything else and can't be generated: write it out.", b.Type)
			continue
		}
		f(b)
	}
}

// Files lists the files that the results depend on, each once.
func Files[R any](results []Result[R]) []string {
	set := map[string]bool{}
	for _, r := range results {
		for _, f := range r.files {
			set[f.path] = true
		}
	}
	return slices.Sorted(maps.Keys(set))
}

// prepare cuts the files into items and evaluates the locals: the scope of all
// other blocks.
func prepare(l *Language, s Sources, o Options) (*scope, part) {
	sc := newScope(l, s, o)
	d := newDecoder(sc)
	for _, f := range s.files {
		d.cut(f)
	}
	before := d.Mistakes
	d.evaluateLocals()
	o.reading(0, Place{}, "")
	sc.broken = d.Mistakes > before
	return sc, d.part
}

// cut cuts a file into its items; one that is no configuration has none.
func (d *decoder) cut(f *source) {
	f.blocks, f.opaque = nil, false
	if !d.legible(f) {
		return
	}
	f.blocks = split(f.text)
	if d.alien(f) {
		f.blocks = nil
	}
}

// alien reports whether a file is another program's, whose one mistake that is.
func (d *decoder) alien(f *source) bool {
	if d.language.Alien == nil {
		return false
	}
	for _, c := range f.blocks {
		if d.language.Top.byName[c.kind] != nil {
			continue
		}
		if summary, detail := d.language.Alien(c.kind, c.header(f.text), f.text[c.start:c.end]); summary != "" {
			d.Mistake(f.head(c), summary, "%s", detail)
			return true
		}
	}
	return false
}
