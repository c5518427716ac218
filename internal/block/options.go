package block

import (
	"fmt"
	"math/big"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/zclconf/go-cty/cty"
)

// The functions below make the entries of a table. help is what the manuals
// say; ref points to where the value goes.

// Duration is a time with its unit: "250ms".
func Duration[T any](name, help string, def, lo, hi time.Duration, ref func(*T) *time.Duration) Entry[T] {
	return Entry[T]{
		Option: &Option{Name: name, Help: help, Range: Short(lo) + " to " + Short(hi), Default: Short(def)},
		init:   func(t *T) { *ref(t) = def },
		read: func(b *Body, a argument, t *T) {
			if d, ok := b.duration(a, lo, hi); ok {
				*ref(t) = d
			}
		},
	}
}

// Count is a whole number.
func Count[T any, N ~int | ~uint8 | ~uint16 | ~uint32](name, help string, def N, lo, hi int64, ref func(*T) *N) Entry[T] {
	return Entry[T]{
		Option: &Option{Name: name, Help: help, Range: strconv.FormatInt(lo, 10) + " to " + strconv.FormatInt(hi, 10), Default: strconv.FormatInt(int64(def), 10)},
		init:   func(t *T) { *ref(t) = def },
		read: func(b *Body, a argument, t *T) {
			if n, ok := b.number(a, lo, hi); ok {
				*ref(t) = N(n)
			}
		},
	}
}

// Flag is true or false.
func Flag[T any](name, help string, def bool, ref func(*T) *bool) Entry[T] {
	return Entry[T]{
		Option: &Option{Name: name, Help: help, Default: strconv.FormatBool(def)},
		init:   func(t *T) { *ref(t) = def },
		read: func(b *Body, a argument, t *T) {
			if v, ok := b.evaluate(a.expr, a.name, cty.Bool); ok {
				*ref(t) = v.True()
			}
		},
	}
}

// A Word is one value of a choice, and what it means.
type Word[V any] struct {
	Name  string
	Value V
	Help  string
}

// Choice is one of several words. The default is the word def; "" leaves the
// zero value.
func Choice[T, V any](name, help, def string, words []Word[V], ref func(*T) *V) Entry[T] {
	o := &Option{Name: name, Help: help}
	var names []string
	byName := map[string]V{}
	for _, w := range words {
		names = append(names, w.Name)
		o.Words = append(o.Words, [2]string{w.Name, w.Help})
		byName[w.Name] = w.Value
	}
	o.Range = alternatives(names)
	if def != "" {
		o.Default = strconv.Quote(def)
	}
	return Entry[T]{
		Option: o,
		init:   func(t *T) { *ref(t) = byName[def] },
		read: func(b *Body, a argument, t *T) {
			s, ok := b.text(a)
			if v, known := byName[s]; known {
				*ref(t) = v
			} else if ok {
				b.UnknownWord(a.at(), a.name, s, names)
			}
		},
	}
}

// Text is a text that parse turns into a value, or reports at its place.
func Text[T, V any](name, help string, def V, parse func(b *Body, s string, at Place) (V, bool), ref func(*T) *V) Entry[T] {
	return Entry[T]{
		Option: &Option{Name: name, Help: help, Default: fmt.Sprintf("%q", any(def))},
		init:   func(t *T) { *ref(t) = def },
		read: func(b *Body, a argument, t *T) {
			s, ok := b.text(a)
			if !ok {
				return
			}
			if v, good := parse(b, s, a.at()); good {
				*ref(t) = v
			}
		},
	}
}

// An Item is one text of a list, and its place.
type Item struct {
	Text string
	At   Place
}

// List is a list of texts. A list that is there is not nil.
func List[T any](name, help string, ref func(*T) *[]Item) Entry[T] {
	return Entry[T]{
		Option: &Option{Name: name, Help: help, Range: "a list"},
		read: func(b *Body, a argument, t *T) {
			*ref(t) = b.items(a)
		},
	}
}

// Pairs is a map of texts.
func Pairs[T any](name, help string, ref func(*T) *map[string]string) Entry[T] {
	return Entry[T]{
		Option: &Option{Name: name, Help: help, Range: "a map"},
		read: func(b *Body, a argument, t *T) {
			*ref(t) = b.pairs(a)
		},
	}
}

// Address is an IP address, as Text needs it.
func Address(b *Body, s string, at Place) (netip.Addr, bool) { return b.ParseAddress(s, at) }

// Verbatim is a text as it stands, as Text needs it.
func Verbatim(_ *Body, s string, _ Place) (string, bool) { return s, true }

// duration reads a duration between lo and hi: a number with a unit.
func (b *Body) duration(a argument, lo, hi time.Duration) (time.Duration, bool) {
	s, ok := b.text(a)
	if !ok {
		return 0, false
	}
	t, err := time.ParseDuration(s)
	if _, bare := strconv.ParseFloat(s, 64); bare == nil {
		b.Mistake(a.at(), "Missing unit", "%s is a duration with a unit: write \"%ss\" for seconds or \"%sms\" for milliseconds.", a.name, s, s)
		return 0, false
	}
	switch {
	case err != nil:
		b.Mistake(a.at(), "Invalid duration", "%q is not a duration: write a number and a unit, such as \"2s\", \"250ms\" or \"5m\".", s)
	case t < lo || t > hi:
		b.Mistake(a.at(), "Invalid "+a.name, "%s must be from %s to %s, but this is %s.", a.name, Short(lo), Short(hi), Short(t))
	default:
		return t, true
	}
	return 0, false
}

// Short prints a duration without the units that are zero: "1h", not "1h0m0s".
func Short(t time.Duration) string {
	s := t.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// number reads a whole number between lo and hi.
func (b *Body) number(a argument, lo, hi int64) (int64, bool) {
	v, ok := b.evaluate(a.expr, a.name, cty.Number)
	if !ok {
		return 0, false
	}
	n, accuracy := v.AsBigFloat().Int64()
	if accuracy != big.Exact || n < lo || n > hi {
		b.Mistake(a.at(), "Invalid "+a.name, "%s must be a whole number from %d to %d, but this is %s.", a.name, lo, hi, v.AsBigFloat().Text('g', 15))
		return 0, false
	}
	return n, true
}
