package block

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
)

// The limits of one top-level block. The parser recurses on nesting and on
// operators, and a stack that overflows can't be recovered from.
const (
	maxNesting   = 100
	maxOperators = 20_000
	// A directive in a template counts as so many operators: the parser takes
	// quadratic time for nested ones.
	directiveCost = 40
)

// A chunk is one top-level item of a file: a block with its body, or what
// stands for one.
type chunk struct {
	start, end   int // bytes of the file
	line, column int // of start, from 1
	kind         string
	// excess says which limit the item is above; empty: none.
	excess string
	// unclosed is what begins in the item and has no end; nil: nothing.
	unclosed *opening
	// operators is how much the parser may recurse on.
	operators int
}

// An opening is the beginning of a comment or of a text of several lines, as
// bytes of the file. A heredoc has a marker that would end it.
type opening struct {
	start, end int
	marker     []byte
}

// pos returns where the chunk starts, as the parser wants to know it.
func (c chunk) pos() hcl.Pos {
	return hcl.Pos{Byte: c.start, Line: c.line, Column: c.column}
}

// header returns the block's first line up to its brace.
func (c chunk) header(text []byte) string {
	line, _, _ := bytes.Cut(text[c.start:c.end], []byte("\n"))
	head, _, _ := bytes.Cut(line, []byte("{"))
	return string(bytes.TrimSpace(head))
}

// split cuts a file into its top-level items, so that one can be parsed,
// evaluated and dropped before the next: the tree of a whole file takes ten
// times the memory of what it says.
//
// It knows as much of the syntax as it takes to tell where an item ends:
// brackets, comments, quoted and heredoc templates and the expressions inside
// them. Text that is not valid HCL may be cut anywhere, as the parser reports a
// mistake in any case.
func split(text []byte) []chunk {
	s := scanner{cursor: cursor{text: text, line: 1}}
	for s.pos < len(s.text) {
		s.step()
	}
	if len(s.heredocs) > 0 {
		s.item.unclosed = &s.heredocs[0]
	}
	s.cut()
	return s.chunks
}

// inert are the classes of what means nothing to the scanner in code and in quoted
// text: names, numbers, and what is beyond ASCII. A minus is an operator.
const inert = letter | digit | dot | foreign

// A scanner passes over a file once. Its stack holds what is open: a bracket,
// '"' for a quoted template, 'h' for a heredoc, '$' for an expression in
// either. With an empty stack it is between the items or at their top level.
type scanner struct {
	cursor
	stack     []byte
	heredocs  []opening // those that are open
	lineBegun bool      // the heredoc's line has had an expression: no marker ends it
	open      bool      // an item has begun
	operators int
	item      chunk
	chunks    []chunk
}

func (s *scanner) top() byte {
	if len(s.stack) == 0 {
		return 0
	}
	return s.stack[len(s.stack)-1]
}

func (s *scanner) push(b byte) {
	if len(s.stack) >= maxNesting {
		s.item.excess = "is nested too deeply"
		return
	}
	s.stack = append(s.stack, b)
}

func (s *scanner) pop() { s.stack = s.stack[:len(s.stack)-1] }

// atEnd reports whether the text ends here, or b is here and nothing is open.
func (s *scanner) atEnd(b byte) bool {
	return s.pos == len(s.text) || len(s.stack) == 0 && s.text[s.pos] == b
}

func (s *scanner) step() {
	switch s.top() {
	case '"':
		s.quoted()
	case 'h':
		s.heredoc()
	default:
		s.code()
	}
}

// code passes one token of code, more or less.
func (s *scanner) code() {
	switch c := s.text[s.pos]; {
	case c == '\n':
		if len(s.stack) == 0 {
			s.cut()
		}
		s.newline()
	case c == ' ' || c == '\t' || c == '\r':
		s.pos++
	case c == '#' || s.startsWith("//"):
		s.skipTo("\n")
	case s.startsWith("/*"):
		s.comment()
	default:
		s.begin()
		s.symbol(c)
		s.pass(inert)
	}
}

// comment passes a comment of several lines. One without an end is an item, lest
// it silently remove the rest of the file.
func (s *scanner) comment() {
	start := s.pos
	if !bytes.Contains(s.text[start+2:], []byte("*/")) {
		s.begin()
		s.item.unclosed = &opening{start: start, end: start + 2}
	}
	s.pos += 2
	s.skipTo("*/")
	s.pos = min(s.pos+2, len(s.text))
}

// symbol passes one character of code that is neither space nor comment.
func (s *scanner) symbol(c byte) {
	s.pos++
	switch c {
	case '"', '{', '[', '(':
		s.push(c)
	case '}', ']', ')':
		s.close(c)
	case '<':
		s.openHeredoc()
	}
	if strings.IndexByte("[(!?<>+*/%&|-", c) >= 0 || c == '=' && bytes.HasSuffix(s.text[:s.pos], []byte("==")) {
		s.operator(1)
	}
}

// operator counts what the parser, or the evaluation, may recurse on.
func (s *scanner) operator(cost int) {
	if s.operators += cost; s.operators > maxOperators {
		s.item.excess = "has too many operators"
	}
}

// close closes the innermost bracket that c fits, and those inside it that
// were left open by mistake; an expression's brace ends the expression.
func (s *scanner) close(c byte) {
	opener := map[byte]byte{'}': '{', ']': '[', ')': '('}[c]
	for i := len(s.stack) - 1; i >= 0; i-- {
		switch b := s.stack[i]; {
		case b == opener, b == '$' && c == '}':
			s.stack = s.stack[:i]
			return
		case b == '"' || b == 'h' || b == '$' || b == '{':
			return
		}
	}
}

// openHeredoc looks at what follows a '<': "<MARKER" or "<-MARKER" and a
// newline begin a heredoc.
func (s *scanner) openHeredoc() {
	line, _, found := bytes.Cut(s.text[s.pos:], []byte("\n"))
	if !found || !bytes.HasPrefix(line, []byte("<")) {
		return
	}
	marker := bytes.TrimSuffix(bytes.TrimPrefix(line[1:], []byte("-")), []byte("\r"))
	if len(marker) == 0 || len(firstWord(marker)) < len(marker) {
		return
	}
	if depth := len(s.stack); depth < maxNesting {
		s.heredocs = append(s.heredocs, opening{start: s.pos - 1, end: s.pos + len(line), marker: marker})
	}
	s.pos += len(line)
	s.newline()
	s.lineBegun = false
	s.push('h')
}

// template passes an escape or the start of an expression in a template, and
// reports whether there was one.
func (s *scanner) template() bool {
	switch {
	case s.startsWith("$${") || s.startsWith("%%{"):
		s.pos += 3
	case s.startsWith("${") || s.startsWith("%{"):
		s.pos += 2
		s.operator(1)
		if s.text[s.pos-2] == '%' {
			s.operator(directiveCost)
		}
		s.lineBegun = true
		s.push('$')
	default:
		return false
	}
	return true
}

// quoted passes one character of a quoted template. A newline ends it: it is
// a mistake there, and the items after it should not suffer from it.
func (s *scanner) quoted() {
	switch c := s.text[s.pos]; {
	case c == '"':
		s.pos++
		s.pop()
	case c == '\n':
		s.pop()
	case c == '\\' && !s.startsWith("\\\n"):
		s.pos = min(s.pos+2, len(s.text))
	case !s.template():
		s.pos++
		s.pass(inert)
	}
}

// heredoc passes one character of a heredoc, or its last line.
func (s *scanner) heredoc() {
	if s.text[s.pos] == '\n' {
		line := bytes.TrimSpace(s.text[s.lineStart:s.pos])
		if !s.lineBegun && bytes.Equal(line, s.heredocs[len(s.heredocs)-1].marker) {
			s.heredocs = s.heredocs[:len(s.heredocs)-1]
			s.pop() // the newline is code's
			return
		}
		s.newline()
		s.lineBegun = false
	} else if !s.template() {
		s.pos++
	}
}

// begin notes where an item begins.
func (s *scanner) begin() {
	if s.open {
		return
	}
	s.open, s.operators = true, 0
	s.item = chunk{
		start: s.pos, line: s.line, kind: string(firstWord(s.text[s.pos:])),
		column: 1 + utf8.RuneCount(s.text[s.lineStart:s.pos]),
	}
}

// cut ends the item that is open, if one is.
func (s *scanner) cut() {
	if !s.open {
		return
	}
	s.item.end, s.item.operators = s.pos, s.operators
	s.chunks = append(s.chunks, s.item)
	s.open = false
}
