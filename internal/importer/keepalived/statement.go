package keepalived

import (
	"slices"
	"strings"

	"github.com/lvsd/lvsd/internal/importer"
)

// A Statement is one line of a configuration, after includes, conditions, values and
// loops, and the block in braces that follows it.
//
// A brace ends a line as a newline does, so "vrrp_script up { interval 2 }" is two
// statements, one in the block of the other.
type Statement struct {
	importer.Place              // of a line from a multi-line value, that is the line in the value
	Words          []string     // at least one, without quotes
	Block          []*Statement // what stands in the braces
	HasBlock       bool         // there are braces, if only empty ones
	Comment        []string     // the lines above, then what stands at the end of its line; without signs
	Raw            string       // the line without its comment, for losses
}

// Is reports whether a statement begins with one of these words.
func (s *Statement) Is(words ...string) bool {
	for _, w := range words {
		if s.Words[0] == w {
			return true
		}
	}
	return false
}

// Args returns the words after the first one.
func (s *Statement) Args() []string { return s.Words[1:] }

// Arg returns a word by its place; "" if there are fewer. The statement's own is 0.
func (s *Statement) Arg(i int) string {
	if i >= len(s.Words) {
		return ""
	}
	return s.Words[i]
}

// Command returns the program that the statement runs with its arguments, and the words
// after it, which are a user and a group. keepalived takes quotes and escapes away twice:
// those of the line, and those in its second word.
func (s *Statement) Command() (run, rest []string, err error) {
	words, err := SplitEscaped(s.Raw)
	if err != nil || len(words) < 2 {
		return nil, nil, err
	}
	run, err = SplitEscaped(words[1])
	return run, words[2:], err
}

// List returns the words in a statement's block, as of "notification_email { … }", in
// which lines mean nothing, with the place of each.
func (s *Statement) List() (words []string, places []importer.Place) {
	for _, line := range s.Block {
		for _, w := range line.Words {
			words, places = append(words, w), append(places, line.Place)
		}
	}
	return words, places
}

// remark cleans a comment of its signs, and keeps how far it is indented. It returns "" for one
// that says nothing, as a line of signs.
func remark(comment string) string {
	if strings.Trim(comment, "#!-=*_+~ \t") == "" {
		return ""
	}
	text := strings.TrimRight(strings.TrimLeft(comment, "#!"), "# \t")
	if words := strings.TrimLeft(text, "#! \t"); strings.ContainsAny(text[:len(text)-len(words)], "#!") {
		return words
	}
	return strings.ReplaceAll(text, "\t", "  ")
}

// dedent takes from comments that follow each other the blanks that all begin with.
func dedent(all []string) []string {
	for len(all) > 0 && !slices.ContainsFunc(all, func(line string) bool { return line[0] != ' ' }) {
		for i := range all {
			all[i] = all[i][1:]
		}
	}
	return all
}
