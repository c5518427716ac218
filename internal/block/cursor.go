package block

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// A cursor goes over a text once.
type cursor struct {
	text      []byte
	pos       int // in text
	line      int
	lineStart int // the position in text of the line's first column
}

func (c *cursor) startsWith(prefix string) bool {
	return bytes.HasPrefix(c.text[c.pos:], []byte(prefix))
}

// newline passes the newline character at pos.
func (c *cursor) newline() {
	c.pos++
	c.line++
	c.lineStart = c.pos
}

// skipTo goes on to the next place of a mark, or to the end.
func (c *cursor) skipTo(mark string) {
	length := bytes.Index(c.text[c.pos:], []byte(mark))
	if length < 0 {
		length = len(c.text) - c.pos
	}
	passed := c.text[c.pos : c.pos+length]
	if n := bytes.Count(passed, []byte("\n")); n > 0 {
		c.line += n
		c.lineStart = c.pos + bytes.LastIndexByte(passed, '\n') + 1
	}
	c.pos += length
}

// pass passes the bytes of some classes.
func (c *cursor) pass(classes byte) {
	for c.pos < len(c.text) && byteClass[c.text[c.pos]]&classes != 0 {
		c.pos++
	}
}

// passSpace passes spaces and the ends of lines.
func (c *cursor) passSpace() {
	c.pos = len(c.text) - len(bytes.TrimLeft(c.text[c.pos:], " \t\r\n"))
}

// The classes of bytes.
const (
	letter = 1 << iota // or underscore
	digit
	hyphen
	dot
	foreign // a part of a character beyond ASCII
	inText  // ASCII between quotes that means nothing there
)

var byteClass = func() (classes [256]byte) {
	for b := range classes {
		switch c := byte(b); {
		case c >= '0' && c <= '9':
			classes[b] = digit
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c == '_':
			classes[b] = letter
		case c == '-':
			classes[b] = hyphen
		case c == '.':
			classes[b] = dot
		case c >= utf8.RuneSelf:
			classes[b] = foreign
		}
		if b >= ' ' && b <= '~' && !strings.ContainsRune("\"\\$%", rune(b)) {
			classes[b] |= inText
		}
	}
	return classes
}()

// firstWord returns the name with which a text begins, or nothing. Letters
// beyond ASCII may be in a name, and it does no harm to take too many for one.
func firstWord(text []byte) []byte {
	c := cursor{text: text}
	c.pass(letter | digit | hyphen | foreign)
	return text[:c.pos]
}
