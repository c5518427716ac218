package probe

import (
	"bufio"
	"bytes"
	"io"
	"regexp"
	"regexp/syntax"
	"slices"
	"unicode/utf8"
)

// A pattern is a regular expression that is looked for in what a server sends,
// while it arrives: so it needs no memory for the whole, and reads no more than
// necessary.
type pattern struct {
	// plain is the text to find where the expression is nothing else: that is
	// a hundred times faster than an expression, which reads letter by letter
	// (measured: 6 µs against 1.4 ms in 10 kB).
	plain      []byte
	expression *regexp.Regexp
	// minding: whether it matches depends on where the text ends.
	minding bool
}

// compilePattern compiles a regular expression (RE2). Plain text is only what
// has no operator at all: an anchor, say, is part of what is asked.
func compilePattern(expression string) (pattern, error) {
	parsed, err := syntax.Parse(expression, syntax.Perl)
	if err != nil {
		return pattern{}, err
	}
	// In an expression, U+FFFD stands for bytes that are not UTF-8 as well.
	literal := parsed.Op == syntax.OpLiteral && !slices.Contains(parsed.Rune, utf8.RuneError)
	if literal && parsed.Flags&syntax.FoldCase == 0 {
		return pattern{plain: []byte(string(parsed.Rune))}, nil
	}
	compiled, err := regexp.Compile(expression)
	return pattern{expression: compiled, minding: mindsTheEnd(parsed)}, err
}

// mindsTheEnd reports whether an expression has an operator that looks for the end of
// a text, or of a word or line there.
func mindsTheEnd(e *syntax.Regexp) bool {
	switch e.Op {
	case syntax.OpEndLine, syntax.OpEndText, syntax.OpWordBoundary, syntax.OpNoWordBoundary:
		return true
	}
	return slices.ContainsFunc(e.Sub, mindsTheEnd)
}

// in reports whether the pattern is in a text, whatever follows; ended: nothing does.
// An operator looks at no more than the letter after the match.
func (p pattern) in(text []byte, ended bool) bool {
	switch {
	case p.expression == nil:
		return bytes.Contains(text, p.plain)
	case ended || !p.minding:
		return p.expression.Match(text)
	default:
		at := p.expression.FindIndex(text)
		return at != nil && at[1] < len(text)
	}
}

// find reports whether the pattern comes before the end of the text. To an
// expression the end means something ($, \b), and it cannot tell the end of the
// text from where the text was cut off: what it finds there does not count.
func (p pattern) find(text *recorder) bool {
	if p.expression != nil {
		return p.expression.MatchReader(bufio.NewReader(text)) && text.err == nil
	}
	window := make([]byte, 0, 4<<10+len(p.plain))
	for {
		n, err := text.Read(window[len(window):cap(window)])
		window = window[:len(window)+n]
		if bytes.Contains(window, p.plain) {
			return true
		}
		if err != nil {
			return false
		}
		keep := min(len(window), len(p.plain)-1)
		window = append(window[:0], window[len(window)-keep:]...)
	}
}

// A recorder is a reader that records how many bytes it gave, and the error
// that ended them if that was not the proper end.
type recorder struct {
	r   io.Reader
	n   int
	err error
}

func (f *recorder) Read(b []byte) (int, error) {
	n, err := f.r.Read(b)
	f.n += n
	if err != nil && err != io.EOF {
		f.err = err
	}
	return n, err
}
