package block

import (
	"bytes"
	"iter"
	"slices"

	"github.com/lvsd/lvsd/internal/text"
)

// Secrets lists the arguments whose values are never shown.
func (l *Language) Secrets() (names []string) {
	l.Top.Walk(func(s *Schema) {
		for _, o := range s.Options {
			if o.Secret && !slices.Contains(names, o.Name) {
				names = append(names, o.Name)
			}
		}
	})
	return names
}

// A veil is what messages do not show: the values of arguments with some names, and
// locals, if such a value is made of them.
type veil struct {
	names  []string
	locals bool
}

// indirect is what a value is made of that stands elsewhere: locals, or what a dynamic
// block is repeated for.
var indirect = text.Pattern(`\b(?:local|value|key)\b`)

// veil hides the arguments with the names, and what their values are made of.
func (s Sources) veil(names []string) veil {
	for _, f := range s.files {
		for value := range f.values(0, len(f.text), names) {
			if indirect().Match(value) {
				return veil{append(slices.Clone(names), "for_each"), true}
			}
		}
	}
	return veil{names, false}
}

// covers reports whether the line around a byte has a part of what is hidden. The line
// may be one that cannot be parsed.
func (v veil) covers(f *source, at int) bool {
	start, end := f.bounds(at)
	// A value may begin on the line after its name, and both outside any block.
	from, block := 0, 0
	for _, c := range f.blocks {
		if c.start > at {
			break
		}
		if from = block; bytes.IndexByte(f.text[c.start:c.end], '{') >= 0 {
			block = c.start
		}
		if v.locals && at <= c.end && c.keepsValues(f.text) {
			return true
		}
	}
	for _, after := range f.values(from, end, v.names) {
		if after >= start {
			return true
		}
	}
	return false
}

// keepsValues reports whether an item is a block of locals, or a part of one that stands
// outside by mistake.
func (c chunk) keepsValues(text []byte) bool {
	rest := bytes.TrimLeft(text[c.start+len(c.kind):c.end], " \t")
	return c.kind == localsType || c.kind == "" || len(rest) > 0 && rest[0] == '='
}

// values are the values of the arguments with some names between two bytes of a file,
// each with where it ends.
func (f *source) values(from, end int, names []string) iter.Seq2[[]byte, int] {
	return func(yield func([]byte, int) bool) {
		for _, name := range names {
			for i := from; ; {
				next := bytes.Index(f.text[i:end], []byte(name))
				if next < 0 {
					break
				}
				word := i + next
				i = word + len(name)
				if value := f.value(word, i, end); value >= 0 {
					i = max(i, value+firstItem(f.text[value:end]))
					if !yield(f.text[min(value, i):i], i) {
						return
					}
				}
			}
		}
	}
}

// value returns where the value begins of the argument whose name may be the text
// from start to end, as far as limit; -1: it is no argument's name.
func (f *source) value(start, end, limit int) int {
	if start > 0 && bytes.IndexByte([]byte(" \t\n\r{(,;}\""), f.text[start-1]) < 0 {
		return -1
	}
	line, _ := f.bounds(start)
	first := len(bytes.TrimSpace(f.text[line:start])) == 0
	c := cursor{text: f.text[:limit], pos: end}
	if start > 0 && f.text[start-1] == '"' && c.startsWith("\"") {
		c.pos, end = end+1, end+1 // as in JSON
	}
	if c.pass(letter | digit | hyphen | dot); c.pos > end {
		return -1
	}
	c.passSpace()
	if c.startsWith("=") || c.startsWith(":") {
		c.pos++
		c.passSpace()
		return c.pos
	}
	if c.pos < limit && bytes.IndexByte([]byte("{[(\"<"), f.text[c.pos]) >= 0 {
		return c.pos
	}
	if first {
		return end
	}
	return -1
}

// firstItem returns where the item ends with which a text begins. Where it ends in
// quotes that are not closed, what follows up to the next ones belongs to it.
func firstItem(text []byte) int {
	s := scanner{cursor: cursor{text: text, line: 1}}
	broken := -1 // where quotes ended with their line
	for s.pos < len(s.text) && len(s.chunks) == 0 {
		if s.top() == '"' && text[s.pos] == '\n' {
			broken = s.pos
		}
		s.step()
	}
	if len(s.chunks) == 0 {
		return len(text)
	}
	end := s.chunks[0].end
	if end == broken {
		rest := cursor{text: text, pos: end}
		rest.skipTo("\"")
		rest.skipTo("\n")
		return rest.pos
	}
	return end
}

// bounds returns where the line around a byte begins and ends.
func (f *source) bounds(at int) (start, end int) {
	start = bytes.LastIndexByte(f.text[:at], '\n') + 1
	if i := bytes.IndexByte(f.text[at:], '\n'); i >= 0 {
		return start, at + i
	}
	return start, len(f.text)
}
