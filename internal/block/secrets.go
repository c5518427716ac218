package block

import (
	"bytes"
	"regexp"
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

// secret reports whether the line around a byte is of an argument with one of the
// names. The line may be one that cannot be parsed: an argument begins with its
// name, and one that opens a brace ends with the first line that begins with one.
func (f *source) secret(at int, names []string) bool {
	start, end := f.bounds(at)
	block := 0
	for _, c := range f.blocks {
		if c.start <= at && at < c.end {
			block = c.start
		}
	}
	return slices.ContainsFunc(names, func(name string) bool {
		for text := f.text[block:end]; ; {
			i := bytes.LastIndex(text, []byte(name))
			if i < 0 {
				return false
			}
			first, last := f.bounds(block + i)
			text = text[:i]
			if string(firstWord(bytes.TrimLeft(f.text[first:last], " \t"))) != name {
				continue
			}
			head := f.text[first:last]
			return first == start ||
				bytes.Contains(head, []byte("{")) && !bytes.Contains(head, []byte("}")) && !closing.Match(f.text[last:start])
		}
	})
}

// closing is a line that begins with a closing brace.
var closing = regexp.MustCompile(`(?m)^[ \t]*\}`)

// bounds returns where the line around a byte begins and ends.
func (f *source) bounds(at int) (start, end int) {
	start = bytes.LastIndexByte(f.text[:at], '\n') + 1
	if i := bytes.IndexByte(f.text[at:], '\n'); i >= 0 {
		return start, at + i
	}
	return start, len(f.text)
}
