package block

import (
	"fmt"
	"net/netip"
	"strconv"
	"time"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// The functions below make the entries of a table. help is what the manuals
// say; ref points to where the value goes.

// entry is an argument whose value read returns. Where there is none to take,
// ok is false and the T keeps what it has.
func entry[T, V any](o Option, def V, ref func(*T) *V, read func(*Body, *hclsyntax.Attribute) (v V, ok bool)) Entry[T] {
	return Entry[T]{
		Option: &o,
		init:   func(t *T) { *ref(t) = def },
		read: func(b *Body, a *hclsyntax.Attribute, t *T) {
			if v, ok := read(b, a); ok {
				*ref(t) = v
			}
		},
	}
}

// Duration is a time with its unit: "250ms".
func Duration[T any](name, help string, def, lo, hi time.Duration, ref func(*T) *time.Duration) Entry[T] {
	o := Option{Name: name, Help: help, Range: Short(lo) + " to " + Short(hi), Default: Short(def)}
	return entry(o, def, ref, func(b *Body, a *hclsyntax.Attribute) (time.Duration, bool) { return b.duration(a, lo, hi) })
}

// Count is a whole number.
func Count[T any, N ~int | ~uint8 | ~uint16 | ~uint32](name, help string, def N, lo, hi int64, ref func(*T) *N) Entry[T] {
	o := Option{Name: name, Help: help, Range: fmt.Sprintf("%d to %d", lo, hi), Default: fmt.Sprint(def)}
	return entry(o, def, ref, func(b *Body, a *hclsyntax.Attribute) (N, bool) {
		n, ok := b.number(a, lo, hi)
		return N(n), ok
	})
}

// Flag is true or false.
func Flag[T any](name, help string, def bool, ref func(*T) *bool) Entry[T] {
	o := Option{Name: name, Help: help, Default: strconv.FormatBool(def)}
	return entry(o, def, ref, func(b *Body, a *hclsyntax.Attribute) (bool, bool) {
		v, ok := b.evaluate(a.Expr, a.Name, cty.Bool)
		return ok && v.True(), ok
	})
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
	o := Option{Name: name, Help: help}
	var names []string
	byName := map[string]V{}
	for _, w := range words {
		names = append(names, w.Name)
		o.Words = append(o.Words, [2]string{w.Name, w.Help})
		byName[w.Name] = w.Value
	}
	o.Range = conjunction(names, "or")
	if def != "" {
		o.Default = strconv.Quote(def)
	}
	return entry(o, byName[def], ref, func(b *Body, a *hclsyntax.Attribute) (V, bool) {
		s, ok := b.text(a)
		v, known := byName[s]
		if ok && !known {
			b.UnknownWord(at(a), a.Name, s, names)
		}
		return v, known
	})
}

// Text is a text that parse turns into a value, or reports at its place.
func Text[T, V any](name, help string, def V, parse func(b *Body, s string, at Place) (V, bool), ref func(*T) *V) Entry[T] {
	o := Option{Name: name, Help: help, Default: fmt.Sprintf("%q", any(def))}
	return entry(o, def, ref, func(b *Body, a *hclsyntax.Attribute) (v V, ok bool) {
		if s, given := b.text(a); given {
			v, ok = parse(b, s, at(a))
		}
		return v, ok
	})
}

// List is a list of texts. A list that is there is not nil.
func List[T any](name, help string, ref func(*T) *[]Item) Entry[T] {
	return entry(Option{Name: name, Help: help, Range: "a list"}, nil, ref, (*Body).items)
}

// Pairs is a map of texts.
func Pairs[T any](name, help string, ref func(*T) *map[string]string) Entry[T] {
	return entry(Option{Name: name, Help: help, Range: "a map"}, nil, ref, (*Body).pairs)
}

// Parameter is an argument that is kept in a map, under its name, as the text that read
// makes of it. Where it is left out, it is not there.
func Parameter[T any](o Option, ref func(*T) *map[string]string, read func(*Body, *hclsyntax.Attribute) (string, bool)) Entry[T] {
	return Entry[T]{Option: &o, read: func(b *Body, a *hclsyntax.Attribute, t *T) {
		v, ok := read(b, a)
		if !ok {
			return
		}
		if all := ref(t); *all == nil {
			*all = map[string]string{o.Name: v}
		} else {
			(*all)[o.Name] = v
		}
	}}
}

// Number is a whole number, as Parameter needs it.
func Number(lo, hi int64) func(*Body, *hclsyntax.Attribute) (string, bool) {
	return func(b *Body, a *hclsyntax.Attribute) (string, bool) {
		n, ok := b.number(a, lo, hi)
		return strconv.FormatInt(n, 10), ok
	}
}

// Switch is true or false, as "1" or "0", as Parameter needs it.
func Switch(b *Body, a *hclsyntax.Attribute) (string, bool) {
	v, ok := b.evaluate(a.Expr, a.Name, cty.Bool)
	if ok && v.True() {
		return "1", true
	}
	return "0", ok
}

// kept is an argument whose value is kept in a map, as text under its name. Where it is
// left out, it is not there.
func kept[T any](o Option, ref func(*T) *map[string]string, read func(*Body, *hclsyntax.Attribute) (string, bool)) Entry[T] {
	return Entry[T]{Option: &o, read: func(b *Body, a *hclsyntax.Attribute, t *T) {
		v, ok := read(b, a)
		if !ok {
			return
		}
		if all := ref(t); *all == nil {
			*all = map[string]string{o.Name: v}
		} else {
			(*all)[o.Name] = v
		}
	}}
}

// CountIn is a whole number that is kept in a map, under its name, if it is given.
func CountIn[T any](name, help string, lo, hi int64, ref func(*T) *map[string]string) Entry[T] {
	o := Option{Name: name, Help: help, Range: fmt.Sprintf("%d to %d", lo, hi)}
	return kept(o, ref, func(b *Body, a *hclsyntax.Attribute) (string, bool) {
		n, ok := b.number(a, lo, hi)
		return strconv.FormatInt(n, 10), ok
	})
}

// FlagIn is true or false, and is kept in a map as "1" or "0", under its name, if it is
// given.
func FlagIn[T any](name, help string, ref func(*T) *map[string]string) Entry[T] {
	return kept(Option{Name: name, Help: help, Range: "true or false"}, ref, func(b *Body, a *hclsyntax.Attribute) (string, bool) {
		v, ok := b.evaluate(a.Expr, a.Name, cty.Bool)
		if ok && v.True() {
			return "1", true
		}
		return "0", ok
	})
}

// TextIn is a text that is kept in a map as parse has it, under its name, if it is given.
func TextIn[T any](name, help string, parse func(b *Body, s string, at Place) (string, bool), ref func(*T) *map[string]string) Entry[T] {
	return kept(Option{Name: name, Help: help}, ref, func(b *Body, a *hclsyntax.Attribute) (v string, ok bool) {
		if s, given := b.text(a); given {
			v, ok = parse(b, s, at(a))
		}
		return v, ok
	})
}

// Address is an IP address, as Text needs it.
func Address(b *Body, s string, at Place) (netip.Addr, bool) { return b.ParseAddress(s, at) }

// Verbatim is a text as it stands, as Text needs it.
func Verbatim(_ *Body, s string, _ Place) (string, bool) { return s, true }
