package block

import (
	"crypto/sha512"
	"encoding/binary"
)

// A Key identifies all that decides what a block means: its text, the node's
// name, the text of all locals and first blocks and the files that they read, the environment
// variables that the configuration mentions, and the directory where relative
// names start. Where the block stands is not among that; the files that it
// names itself are in its summary.
type Key [16]byte

// A reuser knows which blocks need not be parsed again.
type reuser struct {
	*scope
	known map[Key][]byte
	// context is the hash of what is the same for all blocks.
	context [sha512.Size256]byte
}

// recordContext computes the context, given the files that the locals and the
// first blocks read.
func (r *reuser) recordContext(files []fileRead) {
	if r.known == nil {
		return
	}
	h := sha512.New512_256()
	record(h, "node", []byte(r.options.Node))
	record(h, "dir", []byte(r.sources.dir))
	r.sources.recordEnv(h, r.options)
	for _, f := range r.sources.files {
		for _, c := range f.blocks {
			if c.kind == localsType || c.kind == r.language.First {
				record(h, c.kind, f.text[c.start:c.end])
			}
		}
	}
	for _, f := range files {
		record(h, f.path, []byte(f.sum))
	}
	h.Sum(r.context[:0])
}

func (r reuser) key(text []byte) (k Key) {
	h := sha512.New512_256()
	h.Write(r.context[:])
	h.Write(text)
	copy(k[:], h.Sum(nil))
	return k
}

// A codec writes the values that it is shown, or reads them from where they were
// written, so that what a summary consists of is said once: the files, claims and
// warnings of a block, with places relative to it. Numbers are varints, and a text
// follows its length.
type codec struct {
	bytes   []byte // written so far, or left to read
	reading bool
	broken  bool // what is read is no summary
}

// summary returns what a block says besides its value.
func (p part) summary(at item) []byte {
	var c codec
	c.part(&p, at)
	return c.bytes
}

// readSummary returns what a block says that stands at a new place. ok is false
// where the bytes are no summary.
func readSummary(b []byte, at item) (p part, ok bool) {
	if b == nil {
		return p, false
	}
	c := codec{bytes: b, reading: true}
	c.part(&p, at)
	return p, !c.broken && len(c.bytes) == 0 && p.Doubts >= len(p.list)
}

func (c *codec) part(p *part, at item) {
	each(c, &p.files, func(f *fileRead) {
		c.text(&f.path)
		c.text(&f.sum)
	})
	each(c, &p.Claims, func(cl *Claim) {
		c.number(&cl.Kind)
		c.text(&cl.Key)
		c.text(&cl.Text)
		c.place(&cl.At, at)
	})
	each(c, &p.list, func(r *Report) {
		r.Severity = Warning // a block with mistakes has no summary
		c.text(&r.Summary)
		c.text(&r.Detail)
		c.place(&r.At, at)
	})
	c.number(&p.Doubts) // more than are kept, perhaps
}

func each[T any](c *codec, list *[]T, element func(*T)) {
	if n := c.length(len(*list)); c.reading {
		*list = make([]T, n)
	}
	for i := range *list {
		element(&(*list)[i])
	}
}

func (c *codec) text(s *string) {
	n := c.length(len(*s))
	if c.reading {
		*s, c.bytes = string(c.bytes[:n]), c.bytes[n:]
	} else {
		c.bytes = append(c.bytes, *s...)
	}
}

// length is number for the length of what follows.
func (c *codec) length(n int) int {
	if c.number(&n); c.reading && (n < 0 || n > len(c.bytes)) {
		c.bytes, c.broken = nil, true
		return 0
	}
	return n
}

func (c *codec) number(n *int) {
	if !c.reading {
		c.bytes = binary.AppendVarint(c.bytes, int64(*n))
		return
	}
	v, size := binary.Varint(c.bytes)
	if size <= 0 {
		c.bytes, c.broken = nil, true
		return
	}
	*n, c.bytes = int(v), c.bytes[size:]
}

func (c *codec) place(p *Place, at item) {
	if !c.reading {
		moved := p.moved(-at.line, 1-at.column, -at.start, p.Line == at.line)
		p = &moved
	}
	for _, n := range []*int{&p.Line, &p.Column, &p.Start, &p.End} {
		c.number(n)
	}
	if c.reading {
		*p = p.moved(at.line, at.column-1, at.start, p.Line == 0)
		p.File = at.name
	}
}

// moved returns a place so many lines and bytes further, and so many columns if
// it is on the first line of what is moved.
func (p Place) moved(lines, columns, bytes int, onFirst bool) Place {
	if onFirst {
		p.Column += columns
	}
	p.Line, p.Start, p.End = p.Line+lines, p.Start+bytes, p.End+bytes
	return p
}
