package config

import (
	"crypto/sha256"
	"encoding/binary"

	"github.com/hashicorp/hcl/v2"
)

// A Key identifies all that decides what a virtual_service block means: its
// text, the node's name, the text of all locals and the files that they read,
// the environment variables that the configuration mentions, and the directory
// of relative names. Where the block stands, and what this machine has, are
// not among that.
type Key [16]byte

// A reuser decodes blocks, but for those that are known.
type reuser struct {
	scope
	known map[Key][]byte
	// context is the hash of what is the same for all blocks.
	context [sha256.Size]byte
}

func newReuser(s scope, locals *result, known map[Key][]byte) reuser {
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
			if c.kind == "locals" {
				record(h, "locals", f.text[c.start:c.end])
			}
		}
	}
	for _, f := range locals.files {
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

// decode returns what an item says: by the summary of an earlier time, or by
// parsing it.
func (r reuser) decode(f *source, c chunk) result {
	if r.known == nil || c.kind != "virtual_service" {
		return r.scope.decode(f, c)
	}
	b := Block{Key: r.key(f.text[c.start:c.end]), Source: sourceOf(f.name, c.line)}
	if summary, ok := r.known[b.Key]; ok {
		if old, ok := readSummary(summary, f, c); ok && unchanged(old.files) {
			b.Reused, b.Summary = true, summary
			old.block = b
			return old
		}
	}
	out := r.scope.decode(f, c)
	if out.mistakes == 0 {
		b.Summary = appendSummary(nil, out, c)
	}
	out.block = b
	return out
}

// A summary is a result without its services: the files, claims and warnings,
// with places relative to the block. Numbers are varints, and a text follows
// its length.

func appendSummary(b []byte, r result, c chunk) []byte {
	b = binary.AppendUvarint(b, uint64(len(r.files)))
	for _, f := range r.files {
		b = appendText(appendText(b, f.path), string(f.sum[:]))
	}
	b = binary.AppendUvarint(b, uint64(len(r.claims)))
	for _, cl := range r.claims {
		b = binary.AppendUvarint(b, uint64(cl.kind))
		b = appendPlace(appendText(appendText(b, cl.key), cl.text), cl.at, c)
	}
	b = binary.AppendUvarint(b, uint64(len(r.diags)))
	for _, d := range r.diags {
		b = appendPlace(appendText(appendText(b, d.Summary), d.Detail), *d.Subject, c)
	}
	return b
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendPlace(b []byte, r hcl.Range, c chunk) []byte {
	column := r.Start.Column
	if r.Start.Line == c.line {
		column -= c.column - 1
	}
	for _, n := range []int{r.Start.Line - c.line, column, r.Start.Byte - c.start, r.End.Byte - c.start} {
		b = binary.AppendVarint(b, int64(n))
	}
	return b
}

// readSummary returns the result of a block that stands at a new place. ok is
// false where the bytes are no summary.
func readSummary(b []byte, f *source, c chunk) (r result, ok bool) {
	s := summaryReader{b: b}
	for range s.count() {
		var read fileRead
		read.path = s.text()
		copy(read.sum[:], s.text())
		r.files = append(r.files, read)
	}
	for range s.count() {
		cl := claim{kind: claimKind(s.count()), key: s.text(), text: s.text(), at: s.place(f, c)}
		r.claims = append(r.claims, cl)
	}
	for range s.count() {
		r.reports.add(&hcl.Diagnostic{Severity: hcl.DiagWarning, Summary: s.text(), Detail: s.text(), Subject: s.place(f, c).Ptr()})
	}
	return r, !s.broken && len(s.b) == 0
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

func (s *summaryReader) place(f *source, c chunk) hcl.Range {
	r := hcl.Range{Filename: f.name}
	line, column := s.number(), s.number()
	if line == 0 {
		column += c.column - 1
	}
	r.Start = hcl.Pos{Line: c.line + line, Column: column, Byte: c.start + s.number()}
	r.End.Byte = c.start + s.number()
	return r
}
