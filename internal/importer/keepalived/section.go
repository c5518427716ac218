package keepalived

import (
	"strconv"
	"strings"

	"github.com/lvsd/lvsd/internal/importer"
)

// A section is what stands in a block of keepalived's, by its words. What nobody has
// taken at the end is a loss.
type section struct {
	*walk
	all   []*Statement
	taken map[*Statement]bool
}

func (w *walk) section(list []*Statement) *section {
	return &section{walk: w, all: list, taken: make(map[*Statement]bool)}
}

// take returns the statements that begin with one of these words.
func (c *section) take(words ...string) (list []*Statement) {
	for _, s := range c.all {
		if !c.taken[s] && s.Is(words...) {
			c.taken[s] = true
			list = append(list, s)
		}
	}
	return list
}

// last returns the last of them, as keepalived does with what is said twice; nil if
// there is none.
func (c *section) last(words ...string) *Statement {
	list := c.take(words...)
	if len(list) == 0 {
		return nil
	}
	for _, s := range list[:len(list)-1] {
		c.gone(importer.Note, s, "the same is said again further down, and the last one counts")
	}
	return list[len(list)-1]
}

// lines returns what stands in the blocks that begin with one of these words.
func (c *section) lines(words ...string) (list []*Statement) {
	for _, s := range c.take(words...) {
		if !s.HasBlock {
			c.note(s, "a block in braces was expected")
		}
		c.extra(s, 1)
		list = append(list, s.Block...)
		if s.Is("global_defs") {
			c.heading = append(c.heading, comments(s)...)
		}
	}
	return list
}

// flag returns the statement that says yes by one of these words, and nil where it says no
// or there is none.
func (c *section) flag(words ...string) *Statement {
	s := c.last(words...)
	if s == nil {
		return nil
	}
	if !c.on(s) {
		c.note(s, "it is off, as it is without this line")
		return nil
	}
	return s
}

// rest tells of everything that nobody has taken.
func (c *section) rest() {
	for _, s := range c.all {
		if !c.taken[s] {
			c.foreign(s)
		}
	}
}

// comments returns the comments of a statement, which are written once.
func comments(s *Statement) (all []string) {
	all, s.Comment = s.Comment, nil
	return all
}

// about returns the comments of a statement with what they are about.
func about(what string, s *Statement) (all []string) {
	all = comments(s)
	if len(all) == 1 { // More are a text of their own, or lines that were taken out.
		all[0] = what + ": " + all[0]
	}
	return all
}

// remarks adds the comments of a statement to an argument, or, if they are many, to its
// block.
func remarks(b *importer.Block, a *importer.Arg, s *Statement) {
	switch list := comments(s); {
	case len(list) == 1 && len(list[0]) <= 60 && a != nil && a.Comment == "":
		a.Comment = list[0]
	default:
		b.Note(list...)
	}
}

// leftover adds the comments that nobody has written yet to a block.
func (c *section) leftover(b *importer.Block) {
	for _, s := range c.all {
		b.Note(about(s.Words[0], s)...)
		for _, line := range s.Block {
			b.Note(about(s.Words[0]+" "+line.Words[0], line)...)
		}
	}
}

// valueOf is the text of an argument; "" if there is none.
func valueOf(b *importer.Block, name string) string {
	if a := b.Get(name); a != nil {
		return a.Value.Text
	}
	return ""
}

// places returns where statements stand, but for those that are nil.
func places(list ...*Statement) (all []importer.Place) {
	for _, s := range list {
		if s != nil {
			all = append(all, s.Place)
		}
	}
	return all
}

// spaced writes words as they stood on a line.
func spaced(words []string) string { return strings.Join(words, " ") }

// decimal is a number as text.
func decimal(n int) string { return strconv.Itoa(n) }
