package block

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
	// Secret: no message shows its value, not even the line where it stands.
	Secret bool
}

// A Kind is one kind of a block, told by its first label: `check "http"`. F is
// what decodes a block of this kind.
type Kind[F any] struct {
	Name, Help string
	Schema     func() *Schema
	Decode     F
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

// Has reports whether the block has an option.
func (s *Schema) Has(option string) bool { return s.byName[option] != nil }

// Option returns an option; nil if the block has none of that name.
func (s *Schema) Option(name string) *Option { return s.byName[name] }

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
		k.Schema().walk(seen, visit)
	}
	for _, o := range s.Options {
		if o.Block != nil {
			o.Block.walk(seen, visit)
		}
	}
}

// kindsWith returns the kinds that have an option.
func (s *Schema) kindsWith(option string) (names []string) {
	for _, k := range s.Kinds {
		if k.Schema().Has(option) {
			names = append(names, k.Name)
		}
	}
	return names
}
