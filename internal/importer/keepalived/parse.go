package keepalived

import (
	"strings"

	"github.com/lvsd/lvsd/internal/importer"
)

// Parse reads a configuration. What it cannot read at all is an error with a place;
// what keepalived passes over as well is among the losses.
func Parse(files Files, path string, o Options) ([]*Statement, []importer.Loss, error) {
	r, top := read(files, path, o)
	if r.err != nil {
		return nil, nil, r.err
	}
	return top, r.losses, nil
}

// read reads a configuration, and returns what it has come to know on the way, too.
func read(files Files, path string, o Options) (*reader, []*Statement) {
	r := &reader{Options: o, files: files, values: map[string]*value{}, ids: map[string]bool{}, unset: map[string]bool{}}
	r.at = importer.Place{File: path}
	r.open(path)
	return r, r.tree()
}

// A builder makes a tree of statements of lines and braces.
type builder struct {
	top   []*Statement
	open  []*Statement // the blocks in which the next statement stands
	last  *Statement   // which a brace belongs to
	notes []string     // comments that no statement has yet
}

// tree reads statements until the end of everything.
func (r *reader) tree() []*Statement {
	var b builder
	for {
		l, ok := r.statement()
		if !ok {
			break
		}
		b.note(l)
		if l.text != "" {
			b.add(r, l)
		}
	}
	for _, s := range b.open {
		r.at = s.Place
		r.lose(importer.Note, strings.Join(s.Words, " "), "the block has no closing brace, so it ends with the file", "")
	}
	return b.top
}

// note keeps the comment of a line for the statement that it belongs to.
func (b *builder) note(l line) {
	if c := remark(l.comment); c != "" {
		b.notes = append(b.notes, c)
	}
}

// add takes a piece of a line: words, or a brace.
func (b *builder) add(r *reader, l line) {
	switch l.text {
	case "{":
		b.begin(r)
	case "}":
		b.end(r)
	default:
		b.words(r, l)
	}
}

// begin begins the block of the last statement.
func (b *builder) begin(r *reader) {
	switch {
	case b.last == nil || b.last.HasBlock:
		r.lose(importer.Note, "{", "no word stands before this brace, and keepalived passes over it", "")
	case len(b.open) >= maxNest:
		r.fail("blocks stand in each other more than %d deep: a closing brace is missing", maxNest)
	default:
		b.last.HasBlock = true
		b.last.Comment = append(b.last.Comment, dedent(b.notes)...)
		b.open, b.last, b.notes = append(b.open, b.last), nil, nil
	}
}

// end ends a block. Comments that stand last in it are its own.
func (b *builder) end(r *reader) {
	if len(b.open) == 0 {
		r.lose(importer.Note, "}", "there is no block that this brace could end, and keepalived passes over it", "")
		return
	}
	s := b.open[len(b.open)-1]
	s.Comment = append(s.Comment, dedent(b.notes)...)
	b.open, b.last, b.notes = b.open[:len(b.open)-1], nil, nil
}

// words adds a statement.
func (b *builder) words(r *reader, l line) {
	words, err := split(l.text)
	if err != nil {
		r.lose(importer.Note, l.text, "a quotation does not end on its line: keepalived tells of it, and reads the words before it", "")
	}
	if len(words) == 0 {
		return
	}
	s := &Statement{Place: l.Place, Words: words, Raw: l.text, Comment: dedent(b.notes)}
	b.last, b.notes = s, nil
	if len(b.open) == 0 {
		b.top = append(b.top, s)
		return
	}
	in := b.open[len(b.open)-1]
	in.Block = append(in.Block, s)
}
