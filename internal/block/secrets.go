package block

import (
	"bytes"
	"slices"
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

// secret reports whether the line around a byte has a part of an argument with one
// of the names. The line may be one that cannot be parsed.
func (f *source) secret(at int, names []string) bool {
	start, end := f.bounds(at)
	from := 0 // the item before, whose value may begin on the next line
	for i, c := range f.blocks {
		if c.start <= at {
			from = f.blocks[max(i-1, 0)].start
		}
	}
	return slices.ContainsFunc(names, func(name string) bool {
		for i := from; ; {
			next := bytes.Index(f.text[i:end], []byte(name))
			if next < 0 {
				return false
			}
			word := i + next
			i = word + len(name)
			if value := f.value(word, i, end); value >= 0 {
				i = max(i, value+firstItem(f.text[value:end]))
				if i >= start {
					return true
				}
			}
		}
	})
}

// value returns where the value begins of the argument whose name may be the text
// from start to end, as far as limit; -1: it is no argument's name.
func (f *source) value(start, end, limit int) int {
	if start > 0 && bytes.IndexByte([]byte(" \t\n\r{(,;}"), f.text[start-1]) < 0 {
		return -1
	}
	line, _ := f.bounds(start)
	first := len(bytes.TrimSpace(f.text[line:start])) == 0
	c := cursor{text: f.text[:limit], pos: end}
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

// firstItem returns where the item ends with which a text begins.
func firstItem(text []byte) int {
	s := scanner{cursor: cursor{text: text, line: 1}}
	for s.pos < len(text) && len(s.chunks) == 0 {
		s.step()
	}
	if len(s.chunks) > 0 {
		return s.chunks[0].end
	}
	return len(text)
}

// bounds returns where the line around a byte begins and ends.
func (f *source) bounds(at int) (start, end int) {
	start = bytes.LastIndexByte(f.text[:at], '\n') + 1
	if i := bytes.IndexByte(f.text[at:], '\n'); i >= 0 {
		return start, at + i
	}
	return start, len(f.text)
}
