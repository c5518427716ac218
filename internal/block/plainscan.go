package block

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
)

// The bytes that next returns at the end of the text and at a comment that is
// not plain, which it never passes. Plain text contains neither.
const (
	endOfText = 0x00
	notPlain  = 0xff
)

// A plainParser reads a text from its beginning to its end. What precedes pos on
// its line is ASCII, except after expression, so that every byte is a column.
type plainParser struct {
	text      []byte
	names     string // a copy of text: names in the tree are substrings of it
	filename  string
	pos       int // in text
	line      int
	lineStart int // the position in text of the line's first column
	startByte int // the position of text in the file
}

// point returns the position in the file.
func (p *plainParser) point() hcl.Pos {
	return hcl.Pos{Line: p.line, Column: p.pos - p.lineStart + 1, Byte: p.startByte + p.pos}
}

// since returns the range from a point to the position.
func (p *plainParser) since(start hcl.Pos) hcl.Range {
	return hcl.Range{Filename: p.filename, Start: start, End: p.point()}
}

// symbol passes one byte and returns its range.
func (p *plainParser) symbol() hcl.Range {
	start := p.point()
	p.pos++
	return p.since(start)
}

func (p *plainParser) startsWith(prefix string) bool {
	return bytes.HasPrefix(p.text[p.pos:], []byte(prefix))
}

// next passes spaces and comments within a line and returns the byte that
// follows them. A comment that ends with its line counts as the newline.
func (p *plainParser) next() byte {
	for p.pos < len(p.text) {
		switch c := p.text[p.pos]; {
		case c == ' ' || c == '\t':
			p.pos++
		case c == '#' || c == '/' && p.startsWith("//"):
			return p.lineComment()
		case c == '/' && p.startsWith("/*"):
			if !p.passComment() {
				return notPlain
			}
		default:
			return c
		}
	}
	return endOfText
}

// lineComment returns what next returns at a comment that starts with # or //.
// It passes the comment only if the text ends with it.
func (p *plainParser) lineComment() byte {
	rest := p.text[p.pos:]
	if bytes.IndexByte(rest, '\n') >= 0 {
		return '\n'
	}
	if !isASCII(rest) {
		return notPlain
	}
	p.pos = len(p.text)
	return endOfText
}

// passComment passes a comment between /* and */. It reports false, and passes
// nothing, if the comment is not closed or not ASCII.
func (p *plainParser) passComment() bool {
	const mark = 2 // bytes in /* and in */
	length := bytes.Index(p.text[p.pos+mark:], []byte("*/"))
	if length < 0 {
		return false
	}
	comment := p.text[p.pos : p.pos+mark+length+mark]
	if !isASCII(comment) {
		return false
	}
	if lines := bytes.Count(comment, []byte("\n")); lines > 0 {
		p.line += lines
		p.lineStart = p.pos + bytes.LastIndexByte(comment, '\n') + 1
	}
	p.pos += len(comment)
	return true
}

func isASCII(text []byte) bool {
	for _, c := range text {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// passLine goes to the start of the next line.
func (p *plainParser) passLine() {
	p.pos += bytes.IndexByte(p.text[p.pos:], '\n') + 1
	p.line++
	p.lineStart = p.pos
}

// lineEnds reports whether only a comment is left on the line.
func (p *plainParser) lineEnds() bool {
	c := p.next()
	return c == '\n' || c == endOfText
}

// pass passes the bytes of some classes.
func (p *plainParser) pass(classes byte) {
	for p.pos < len(p.text) && byteClass[p.text[p.pos]]&classes != 0 {
		p.pos++
	}
}

// The classes of bytes.
const (
	letter = 1 << iota // or underscore
	digit
	hyphen
	inText // between quotes, where $ and % may begin a template
)

var byteClass = func() (classes [256]byte) {
	for c := byte(' '); c <= '~'; c++ {
		switch {
		case c >= '0' && c <= '9':
			classes[c] = digit
		case c == '-':
			classes[c] = hyphen
		case !notInName(rune(c)):
			classes[c] = letter
		}
		if !strings.ContainsRune("\"\\$%", rune(c)) {
			classes[c] |= inText
		}
	}
	return classes
}()
