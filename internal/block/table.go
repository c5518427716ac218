package block

import (
	"fmt"

	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// A Table is the language of one type of block: its options, each with what it
// does to a T. From it come the decoding, the defaults, the ranges, the
// suggestions, and the manuals. It is built when it is first used (see Later).
type Table[T any] struct{ built func() *lines[T] }

// The lines of a table are its options, and what they make of a T that nobody has
// said anything of.
type lines[T any] struct {
	schema  *Schema
	options []Entry[T]
	start   T
}

// An Entry is one line of a table: an option and how it is decoded.
type Entry[T any] struct {
	*Option
	// init sets the default.
	init func(*T)
	// read decodes an argument. Where there is no value to take it leaves the
	// T as it is: at the default, or at what the T inherited.
	read func(*Body, *hclsyntax.Attribute, *T)
	// open decodes an inner block that may stand once.
	open func(*Body, *T)
	// example is what could be written for an argument that must be given.
	example string
}

// NewTable returns the table of a block's options; nil: it has none.
func NewTable[T any](name string, options func() []Entry[T]) *Table[T] {
	return &Table[T]{Later(func() *lines[T] {
		var l lines[T]
		if options != nil {
			l.options = options()
		}
		var described []*Option
		for _, e := range l.options {
			described = append(described, e.Option)
			if e.init != nil {
				e.init(&l.start)
			}
		}
		l.schema = newSchema(name, described)
		return &l
	})}
}

// Schema returns what a block may hold.
func (t *Table[T]) Schema() *Schema { return t.built().schema }

// Start returns a T with the defaults.
func (t *Table[T]) Start() T { return t.built().start }

// Read returns what a block says, and the defaults for what it leaves out.
func (t *Table[T]) Read(b *Body) T {
	v := t.Start()
	t.Decode(b, &v)
	return v
}

// Decode sets in a T what a block says. What the block leaves out stays as it
// is: start with the defaults, or with the values to inherit. Inner blocks
// that may stand several times are left to the caller (see Body.Blocks).
func (t *Table[T]) Decode(b *Body, into *T) {
	l := t.built()
	b.enter(l.schema)
	for i := range l.options {
		e := &l.options[i]
		if e.read == nil {
			continue
		}
		if a := b.tree.Attributes[e.Name]; a != nil {
			e.read(b, a, into)
		}
		if e.example != "" {
			b.Require(e.Name, e.example)
		}
	}
	for i := range l.options {
		if e := &l.options[i]; e.Block != nil && !e.Many {
			e.once(b, into)
		}
	}
}

// once decodes an inner block that may stand once, and reports any others.
func (e *Entry[T]) once(b *Body, into *T) {
	first := true
	for inner := range b.Blocks(e.Name) {
		switch {
		case !first:
			b.Mistake(inner.Head, fmt.Sprintf("Duplicate %s block", e.Name), "There can be one %s block here: put everything into the first one.", e.Name)
		case e.open != nil:
			e.open(inner, into)
		}
		first = false
	}
}

// Required makes an argument one that must be given. example is what could be
// written, for the message.
func (e Entry[T]) Required(example string) Entry[T] {
	e.example = example
	e.Default = ""
	return e
}

// Unless documents a default that is no fixed value: "the service's".
func (e Entry[T]) Unless(otherwise string) Entry[T] {
	e.Default = otherwise
	return e
}

// Within documents the range of values in words.
func (e Entry[T]) Within(words string) Entry[T] {
	e.Range = words
	return e
}

// Secret keeps the value out of all messages.
func (e Entry[T]) Secret() Entry[T] {
	e.Option.Secret = true
	return e
}

// Inner is an inner block that may stand once and is a part of the T. What it
// leaves out stays as it is.
func Inner[T, P any](name, help string, table *Table[P], part func(*T) *P) Entry[T] {
	return Entry[T]{
		Option: &Option{Name: name, Help: help, Block: table.Schema()},
		init:   func(t *T) { *part(t) = table.Start() },
		open:   func(b *Body, t *T) { table.Decode(b, part(t)) },
	}
}

// Replacing makes an inner block one that replaces what the T has inherited: what
// it leaves out has its default.
func (e Entry[T]) Replacing() Entry[T] {
	init, open := e.init, e.open
	e.open = func(b *Body, t *T) {
		init(t)
		open(b, t)
	}
	return e
}

// One is an inner block that may stand once and that the caller decodes.
func One[T any](name, help string, s *Schema) Entry[T] {
	return Entry[T]{Option: &Option{Name: name, Help: help, Block: s}}
}

// Many is an inner block that may stand several times, with its labels. The
// caller decodes each.
func Many[T any](name, help string, s *Schema, labels ...string) Entry[T] {
	return Entry[T]{Option: &Option{Name: name, Help: help, Block: s, Labels: labels, Many: true}}
}

// Kinds are the kinds of one type of block: a new one is a line in their list.
type Kinds[F any] struct {
	schema *Schema
	list   []Kind[F]
}

// NewKinds returns the kinds of the blocks of a type.
func NewKinds[F any](name string, list ...Kind[F]) *Kinds[F] {
	k := &Kinds[F]{schema: newSchema(name, nil), list: list}
	for _, kind := range list {
		k.schema.Kinds = append(k.schema.Kinds, Kind[any]{Name: kind.Name, Help: kind.Help, Schema: kind.Schema})
	}
	return k
}

// Schema returns the kinds as the manuals describe them.
func (k *Kinds[F]) Schema() *Schema { return k.schema }

// Of returns what decodes a block, by its first label; an unknown kind is
// reported.
func (k *Kinds[F]) Of(b *Body) (decode F, ok bool) {
	b.family = k.schema
	for _, kind := range k.list {
		if kind.Name == b.Labels[0] {
			return kind.Decode, true
		}
	}
	b.UnknownWord(b.LabelAt(0), k.schema.Name, b.Labels[0], k.schema.KindNames())
	return decode, false
}
