package keepalived

import (
	"strings"

	"github.com/lvsd/lvsd/internal/importer"
)

// statement returns the next piece of a line that is not empty, or has a comment: words
// up to a brace, or a brace.
func (r *reader) statement() (out line, ok bool) {
	for {
		l, ok := r.pull()
		if !ok {
			return line{}, false
		}
		l = r.prepare(l)
		if l.text != "" {
			return r.piece(l), r.err == nil
		}
		if l.comment != "" {
			return l, r.err == nil
		}
	}
}

// piece cuts a line at its first brace, and has the rest read next.
func (r *reader) piece(l line) line {
	at := firstBrace(l.text)
	if at < 0 {
		return l
	}
	r.unknown(l.text, at)
	if at == 0 {
		at = 1
	}
	rest := l
	rest.text = strings.TrimLeft(l.text[at:], " \t")
	l.text = strings.TrimRight(l.text[:at], " \t")
	if rest.text != "" {
		l.comment, r.rest = "", &rest
	}
	return l
}

// prepare carries out what a line says to the reader: conditions, values, loops and
// includes. What is left is for keepalived; nothing is left of most of these.
func (r *reader) prepare(l line) line {
	for range maxNest {
		if l.text = r.condition(l.text); l.text == "" {
			return l
		}
		if r.define(l) || r.loop(l) {
			l.text, l.comment = "", "" // a comment of a value is not one of what follows
			return l
		}
		text, changed := r.substitute(l.text)
		if !changed {
			return r.included(l)
		}
		c := cut(text)
		if l.text = c.text; c.comment != "" {
			r.lose(importer.Note, c.comment, "the value that was put in here begins a comment", "Put the word in double quotes, if it was not meant to.")
		}
	}
	r.fail("values stand in each other more than %d deep: a value that contains itself?", maxNest)
	return line{}
}

// condition takes the condition off a line, and returns nothing if it does not hold.
func (r *reader) condition(text string) string {
	for {
		rest, is := strings.CutPrefix(text, "@")
		if !is {
			return text
		}
		id, rest, _ := strings.Cut(strings.ReplaceAll(rest, "\t", " "), " ")
		id, except := strings.CutPrefix(id, "^")
		if id != "" {
			r.ids[id] = true
		}
		if (id == r.ID) == except {
			return ""
		}
		text = strings.TrimLeft(rest, " \t")
	}
}
