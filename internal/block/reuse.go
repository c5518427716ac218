package block

import (
	"crypto/sha256"
	"encoding/binary"
)

// A Key identifies all that decides what a block means: its text, the node's
// name, the text of all locals and the files that they read, the environment
// variables that the configuration mentions, and the directory where relative
// names start. Where the block stands is not among that; the files that it
// names itself are in its summary.
type Key [16]byte

// A reuser knows which blocks need not be parsed again.
type reuser struct {
	*scope
	known map[Key][]byte
	// context is the hash of what is the same for all blocks.
	context [sha256.Size]byte
}

func newReuser(s *scope, locals []fileRead, known map[Key][]byte) reuser {
	r := reuser{scope: s, known: known}
	if known == nil {
		return r
	}
	h := sha256.New()
	record(h, "node", []byte(s.options.Node))
	record(h, "dir", []byte(s.sources.dir))
	s.sources.recordEnv(h, s.options)
	for _, f := range s.sources.files {
		for _, c := range f.blocks {
			if c.kind == localsType {
				record(h, localsType, f.text[c.start:c.end])
			}
		}
	}
	for _, f := range locals {
		record(h, f.path, f.sum[:])
	}
	h.Sum(r.context[:0])
	return r
}

func (r reuser) key(text []byte) (k Key) {
	h := sha256.New()
	h.Write(r.context[:])
	h.Write(text)
	copy(k[:], h.Sum(nil))
	return k
}

// A summary is what a block says besides its value: the files, claims and
// warnings, with places relative to the block. Numbers are varints, and a text follows
// its length.

func appendSummary(b []byte, p part, c chunk) []byte {
	b = binary.AppendUvarint(b, uint64(len(p.files)))
	for _, f := range p.files {
		b = appendText(appendText(b, f.path), string(f.sum[:]))
	}
	b = binary.AppendUvarint(b, uint64(len(p.Claims)))
	for _, cl := range p.Claims {
		b = binary.AppendUvarint(b, uint64(cl.Kind))
		b = appendPlace(appendText(appendText(b, cl.Key), cl.Text), cl.At, c)
	}
	b = binary.AppendUvarint(b, uint64(len(p.list)))
	for _, d := range p.list {
		b = appendPlace(appendText(appendText(b, d.Summary), d.Detail), d.At, c)
	}
	return b
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendPlace(b []byte, p Place, c chunk) []byte {
	column := p.Column
	if p.Line == c.line {
		column -= c.column - 1
	}
	for _, n := range []int{p.Line - c.line, column, p.Start - c.start, p.End - c.start} {
		b = binary.AppendVarint(b, int64(n))
	}
	return b
}

// readSummary returns what a block says that stands at a new place. ok is false
// where the bytes are no summary.
func readSummary(b []byte, at item) (p part, ok bool) {
	if b == nil {
		return p, false
	}
	s := summaryReader{b: b}
	for range s.count() {
		f := fileRead{path: s.text()}
		copy(f.sum[:], s.text())
		p.files = append(p.files, f)
	}
	for range s.count() {
		p.Claims = append(p.Claims, Claim{Kind: uint8(s.count()), Key: s.text(), Text: s.text(), At: s.place(at)})
	}
	for range s.count() {
		p.add(Report{Severity: Warning, Summary: s.text(), Detail: s.text(), At: s.place(at)})
	}
	return p, !s.broken && len(s.b) == 0
}

// A summaryReader takes values off the front of a summary.
type summaryReader struct {
	b      []byte
	broken bool
}

// count reads a number that is no larger than the summary.
func (s *summaryReader) count() int {
	n, size := binary.Uvarint(s.b)
	if size <= 0 || n > uint64(len(s.b)) {
		s.b, s.broken = nil, true
		return 0
	}
	s.b = s.b[size:]
	return int(n)
}

func (s *summaryReader) text() string {
	n := s.count()
	if n > len(s.b) {
		s.b, s.broken = nil, true
		return ""
	}
	text := string(s.b[:n])
	s.b = s.b[n:]
	return text
}

func (s *summaryReader) number() int {
	n, size := binary.Varint(s.b)
	if size <= 0 {
		s.b, s.broken = nil, true
		return 0
	}
	s.b = s.b[size:]
	return int(n)
}

func (s *summaryReader) place(at item) Place {
	p := Place{File: at.name, Line: s.number(), Column: s.number(), Start: at.start + s.number(), End: at.start + s.number()}
	if p.Line == 0 {
		p.Column += at.column - 1
	}
	p.Line += at.line
	return p
}
