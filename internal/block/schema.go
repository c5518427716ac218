package block

import (
	"fmt"
	"slices"
	"strings"
)

// A Schema is what a block may hold, for the messages and the manuals.
type Schema struct {
	// Name is the block's type.
	Name    string
	Options []*Option
	byName  map[string]*Option
	// Kinds are the kinds of a block whose first label is its kind. Each has
	// options of its own, and the block has none besides.
	Kinds []Kind[any]
}

// An Option is one argument or inner block, as the manuals describe it.
type Option struct {
	Name string
	// Help says in sentences what it does and when to change it.
	Help string
	// Range says which values it may have, and Default what it is where it is
	// left out: "" where it must be given.
	Range, Default string
	// Words are the values of a choice with what they mean.
	Words [][2]string
	// Block is what an inner block holds; nil: the option is an argument.
	Block *Schema
	// Labels names the labels of an inner block.
	Labels []string
	// Many allows an inner block several times.
	Many bool
}

// A Kind is one kind of a block, told by its first label: `check "http"`. F is
// what decodes a block of this kind.
type Kind[F any] struct {
	Name, Help string
	Schema     *Schema
	Decode     F
}

// Kinds are the kinds of one type of block: a new one is a line in their list.
type Kinds[F any] struct {
	*Schema
	list []Kind[F]
}

// NewKinds returns the kinds of the blocks of a type.
func NewKinds[F any](name string, list ...Kind[F]) *Kinds[F] {
	k := &Kinds[F]{Schema: newSchema(name, nil), list: list}
	for _, kind := range list {
		k.Schema.Kinds = append(k.Schema.Kinds, Kind[any]{Name: kind.Name, Help: kind.Help, Schema: kind.Schema})
	}
	return k
}

// Of returns what decodes a block, by its first label; an unknown kind is
// reported.
func (k *Kinds[F]) Of(b *Body) (decode F, ok bool) {
	b.family = k.Schema
	for _, kind := range k.list {
		if kind.Name == b.Labels[0] {
			return kind.Decode, true
		}
	}
	b.UnknownWord(b.LabelAt(0), k.Name, b.Labels[0], k.KindNames())
	return decode, false
}

func newSchema(name string, options []*Option) *Schema {
	s := &Schema{Name: name, Options: options, byName: make(map[string]*Option, len(options))}
	for _, o := range options {
		if s.byName[o.Name] != nil {
			panic("block: two options " + name + "." + o.Name)
		}
		s.byName[o.Name] = o
	}
	return s
}

// KindNames lists the kinds in their order.
func (s *Schema) KindNames() (names []string) {
	for _, k := range s.Kinds {
		names = append(names, k.Name)
	}
	return names
}

// Walk calls visit for every block that there is below and including this one,
// each once, with those of its kinds.
func (s *Schema) Walk(visit func(*Schema)) { s.walk(map[*Schema]bool{}, visit) }

func (s *Schema) walk(seen map[*Schema]bool, visit func(*Schema)) {
	if seen[s] {
		return
	}
	seen[s] = true
	visit(s)
	for _, k := range s.Kinds {
		k.Schema.walk(seen, visit)
	}
	for _, o := range s.Options {
		if o.Block != nil {
			o.Block.walk(seen, visit)
		}
	}
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

// kindsWith returns the kinds that have an option.
func (s *Schema) kindsWith(option string) (names []string) {
	for _, k := range s.Kinds {
		if k.Schema.byName[option] != nil {
			names = append(names, k.Name)
		}
	}
	return names
}

// unknown reports a name that is none of this block's options: with the word
// that was meant, or the block where it belongs.
func (b *Body) unknown(what, name string, at Place) {
	summary := fmt.Sprintf("Unknown %s %q", what, name)
	hint := b.language.suggestion(name, b.optionNames())
	switch o := b.schema.byName[name]; {
	case b.language.Words[name] != "":
		b.Mistake(at, summary, "%s", b.language.Foreign+b.language.Words[name])
	case o != nil && o.Block != nil:
		b.Mistake(at, summary, "There is no %s of this name here. Did you mean to define a block of type %q?", what, name)
	case o != nil:
		b.Mistake(at, summary, "There is no %s of this name here. Did you mean the argument: %s = …", what, name)
	case b.family != nil && len(b.family.kindsWith(name)) > 0:
		b.unused(what, name, at)
	case len(b.language.owners(name)) > 0:
		b.Mistake(at, summary, "%q does not belong here: move it into %s.", name, strings.Join(b.language.owners(name), " or "))
	case hint != "":
		b.Mistake(at, summary, "There is no %s of this name here. Did you mean %q?", what, hint)
	default:
		b.Mistake(at, summary, "There is no %s of this name here.", what)
	}
}

// unused reports an option that only other kinds of this block have.
func (b *Body) unused(what, name string, at Place) {
	kinds := b.family.kindsWith(name)
	subject := fmt.Sprintf("%ss %s have", b.family.Name, conjunction(kinds, "and"))
	if len(kinds) == 1 {
		subject = fmt.Sprintf("a %s %q has", b.family.Name, kinds[0])
	}
	if what == "block" {
		name += " block"
	}
	if len(b.schema.Options) == 0 {
		b.Mistake(at, "Unused "+name, "%s %q {} has no arguments: remove it.", b.family.Name, b.Labels[0])
		return
	}
	b.Mistake(at, "Unused "+name, "Only %s it: remove it, or write %s %q.", subject, b.family.Name, kinds[0])
}

func (b *Body) optionNames() (names []string) {
	for _, o := range b.schema.Options {
		names = append(names, o.Name)
	}
	return names
}
