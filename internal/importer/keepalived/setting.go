package keepalived

import (
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/lvsd/lvsd/internal/importer"
)

// A setting is what a word sets, if it was said. Of several, the last one counts.
type setting[T any] struct {
	value   T
	given   bool
	from    []importer.Place // of all of them
	comment string           // of the last one
}

// take makes a statement's value the setting's.
func (o *setting[T]) take(s *Statement, v T) {
	o.value, o.given, o.comment = v, true, strings.Join(strings.Fields(strings.Join(s.Comment, " ")), " ")
	o.from = append(o.from, s.Place)
}

// or returns the setting if it was said, and else another one's.
func (o setting[T]) or(other setting[T]) setting[T] {
	if o.given {
		return o
	}
	return other
}

// orValue returns the value that was said, and else another one.
func (o setting[T]) orValue(v T) T {
	if o.given {
		return o.value
	}
	return v
}

// lineOf returns the statement that set a word last, for a loss.
func lineOf(word string, o setting[string]) *Statement {
	return &Statement{Place: o.from[len(o.from)-1], Words: []string{word, o.value}, Raw: word + " " + o.value}
}

// A table has the words of a block of keepalived's, and what each does to what is made
// of the block.
type table[T any] map[string]func(w *walk, s *Statement, t *T)

// readBlock reads the statements in a block. What is in no table is told.
func readBlock[T any](w *walk, block *Statement, t *T, known table[T]) {
	for _, s := range block.Block {
		if take := known[s.Words[0]]; take != nil {
			take(w, s, t)
		} else {
			w.foreign(s)
		}
	}
}

// leaf notes what a statement has beyond the words that are read.
func (w *walk) leaf(s *Statement, words int) {
	w.extra(s, words)
	w.drop(importer.Note, s)
}

// refuse notes a value that cannot be meant.
func (w *walk) refuse(s *Statement, expected string) {
	w.lose(importer.Note, s, strconv.Quote(s.Arg(1))+" is not "+expected+", and keepalived passes over the line as well", "")
	w.drop(importer.Note, s)
}

// skip notes a block of which nothing is read, as in keepalived.
func (w *walk) skip(s *Statement, reason string) { w.dropBlock(importer.Note, s, reason, "") }

// dropBlock notes a block of which nothing is made.
func (w *walk) dropBlock(kind importer.Kind, s *Statement, reason, remedy string) {
	w.lose(kind, s, reason, remedy)
	w.drop(kind, s)
}

// count reads a whole number within bounds.
func count[T any](least, most uint64, ref func(*T) *setting[uint64]) func(*walk, *Statement, *T) {
	return func(w *walk, s *Statement, t *T) {
		n, err := strconv.ParseUint(s.Arg(1), 10, 64)
		if err != nil || n < least || n > most {
			w.refuse(s, "a whole number from "+strconv.FormatUint(least, 10)+" to "+strconv.FormatUint(most, 10))
			return
		}
		ref(t).take(s, n)
		w.leaf(s, 2)
	}
}

// timer reads a time in seconds, which may have a fraction.
func timer[T any](ref func(*T) *setting[time.Duration]) func(*walk, *Statement, *T) {
	return func(w *walk, s *Statement, t *T) {
		d, ok := seconds(s.Arg(1))
		if !ok {
			w.refuse(s, "a time in seconds")
			return
		}
		ref(t).take(s, d)
		w.leaf(s, 2)
	}
}

// flag reads a word that is true by itself, or says whether.
func flag[T any](ref func(*T) *setting[bool]) func(*walk, *Statement, *T) {
	return func(w *walk, s *Statement, t *T) {
		if len(s.Words) == 1 {
			ref(t).take(s, true)
			w.leaf(s, 1)
			return
		}
		v, known := truths[s.Arg(1)]
		if !known {
			w.refuse(s, "on or off, true or false, yes or no")
			return
		}
		ref(t).take(s, v)
		w.leaf(s, 2)
	}
}

// bare reads a word that is true by itself.
func bare[T any](ref func(*T) *setting[bool]) func(*walk, *Statement, *T) {
	return func(w *walk, s *Statement, t *T) {
		ref(t).take(s, true)
		w.leaf(s, 1)
	}
}

// text reads one word.
func text[T any](ref func(*T) *setting[string]) func(*walk, *Statement, *T) {
	return func(w *walk, s *Statement, t *T) {
		if s.Arg(1) == "" {
			w.refuse(s, "a text")
			return
		}
		ref(t).take(s, s.Words[1])
		w.leaf(s, 2)
	}
}

// choice reads one of some words, and says it as lvsd does.
func choice[T any](words map[string]string, ref func(*T) *setting[string]) func(*walk, *Statement, *T) {
	return func(w *walk, s *Statement, t *T) {
		v, known := words[s.Arg(1)]
		if !known {
			w.refuse(s, "one of its words")
			return
		}
		ref(t).take(s, v)
		w.leaf(s, 2)
	}
}

// ip reads an address.
func ip[T any](ref func(*T) *setting[netip.Addr]) func(*walk, *Statement, *T) {
	return func(w *walk, s *Statement, t *T) {
		a, ok := address(s.Arg(1))
		if !ok {
			w.refuse(s, "an address")
			return
		}
		ref(t).take(s, a)
		w.leaf(s, 2)
	}
}

// address reads an address, behind which there may be the end of a range or a prefix length.
func address(text string) (netip.Addr, bool) {
	if i := strings.IndexAny(text, "-/"); i >= 0 {
		text = text[:i]
	}
	a, err := netip.ParseAddr(text)
	return a.Unmap(), err == nil
}

// portOf reads a port; 0 if there is none.
func portOf(text string) (uint16, bool) {
	if strings.Trim(text, "0") == "" {
		return 0, true
	}
	n, err := strconv.ParseUint(text, 10, 16)
	return uint16(n), err == nil
}

// ignored takes a word that changes nothing here.
func ignored[T any](reason string) func(*walk, *Statement, *T) {
	return func(w *walk, s *Statement, _ *T) {
		w.note(s, reason)
		w.drop(importer.Note, s)
	}
}
