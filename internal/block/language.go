package block

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A Language is what a program's configuration may hold, and what its messages
// know of other programs' words.
type Language struct {
	// Top is what stands at the top level of a file. Locals are among it, for
	// the messages, and are read by this package.
	Top *Schema
	// First is the type of the top-level blocks that are decoded before all others,
	// which mean something else by them.
	First string
	// Reusable is the type of the top-level blocks that are not parsed again
	// while they and what they refer to are unchanged.
	Reusable string
	// Words are names in other programs' configurations, with what to tell who
	// writes one, and Values are values of theirs, in lower case, with ours.
	Words, Values map[string]string
	// Alien returns a mistake where a top-level item that is none of Top shows that the whole file
	// is another program's; an empty summary where it does not.
	Alien func(kind, head string, text []byte) (summary, detail string)
}

// owners returns the blocks that may hold an option, by their names.
func (l *Language) owners(option string) (names []string) {
	l.Top.Walk(func(s *Schema) {
		if s.byName[option] != nil && !slices.Contains(names, s.Name) {
			names = append(names, s.Name)
		}
	})
	return names
}

// suggestion returns the word that was probably meant by s, or nothing.
func (l *Language) suggestion(s string, words []string) string {
	if w := l.Values[strings.ToLower(s)]; slices.Contains(words, w) {
		return w
	}
	best, at := "", len(s)/3+2
	for _, w := range words {
		if n := distance(strings.ToLower(s), w); n < at {
			best, at = w, n
		}
	}
	return best
}

// alike returns the word of several that has s as a part of its own, or nearly is
// s: interval in advert_interval, and address in addresses.
func alike(s string, words []string) string {
	for _, w := range words {
		if slices.Contains(strings.Split(w, "_"), s) || len(s) > 4 && distance(s, w) <= 2 {
			return w
		}
	}
	return ""
}

// DidYouMean returns the sentence that suggests one of the words in the place of
// s, or nothing.
func (l *Language) DidYouMean(s string, words []string) string {
	if w := l.suggestion(s, words); w != "" {
		return fmt.Sprintf("Did you mean %q? ", w)
	}
	return ""
}

// conjunction lists words as in a sentence: `"a", "b" or "c"`.
func conjunction(words []string, last string) (list string) {
	for i, w := range words {
		switch {
		case i == 0:
		case i == len(words)-1:
			list += " " + last + " "
		default:
			list += ", "
		}
		list += strconv.Quote(w)
	}
	return list
}

// Listed prints names in a sentence, not too many of them, and not too much of each.
func Listed(names []string) string {
	const most = 20
	if len(names) == 0 {
		return "none at all"
	}
	var shown []string
	for _, name := range names[:min(most, len(names))] {
		shown = append(shown, excerpt(name, maxValue))
	}
	list := strings.Join(shown, ", ")
	if len(names) > most {
		list += fmt.Sprintf(" and %d more", len(names)-most)
	}
	return list
}

// distance is how many letters must be inserted, deleted, replaced or exchanged
// with the next one to turn a into b (optimal string alignment). A text far longer
// than b is not measured exactly.
func distance(a, b string) int {
	if len(a) > 3*len(b)+3 {
		return len(a)
	}
	last, row := make([]int, len(b)+1), make([]int, len(b)+1) // of the two letters before
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		next := make([]int, len(b)+1)
		next[0] = i + 1
		for j := range len(b) {
			substitute := row[j]
			if a[i] != b[j] {
				substitute++
			}
			next[j+1] = min(substitute, row[j+1]+1, next[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				next[j+1] = min(next[j+1], last[j-1]+1)
			}
		}
		last, row = row, next
	}
	return row[len(b)]
}
