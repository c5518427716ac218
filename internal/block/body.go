package block

import (
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// A Body is one block that is being decoded. It knows where everything that
// it holds stands, for the rules that a table can't express.
type Body struct {
	*decoder
	// Type and Labels are what stands before the brace, and Head is where.
	Type   string
	Labels []string
	Head   Place

	labelRanges []hcl.Range
	tree        *hclsyntax.Body
	ctx         *hcl.EvalContext
	schema      *Schema
	// family is the schema with all kinds, where this is a block of one kind.
	family *Schema
	inner  []Body
}

// accept adds an inner block whose type and number of labels are right.
func (b *Body) accept(inner Body, name, brace hcl.Range) {
	if inner.Type == lost && b.incomplete {
		return
	}
	o := b.schema.byName[inner.Type]
	if o == nil || o.Block == nil {
		b.unknown("block", inner.Type, placeOf(name))
		return
	}
	switch given, want := len(inner.Labels), len(o.Labels); {
	case given < want:
		b.Mistake(placeOf(brace), fmt.Sprintf("Missing %s for %s", o.Labels[given], o.Name), "Write it in quotes before the brace: %s {", example(o))
		return
	case given > want && want == 0:
		b.Mistake(placeOf(inner.labelRanges[0]), "Unexpected label for "+o.Name, "A %s block has no label: remove it.", o.Name)
		return
	case given > want:
		b.Mistake(placeOf(inner.labelRanges[want]), "Unexpected label for "+o.Name, "It has no other label than its %s: write %s {", strings.Join(o.Labels, " and "), example(o))
		return
	}
	b.inner = append(b.inner, inner)
}

// example prints a block's head with the names of its labels.
func example(o *Option) string {
	head := o.Name
	for _, l := range o.Labels {
		head += fmt.Sprintf(" %q", strings.ToUpper(l))
	}
	return head
}

// at returns where an argument's value stands.
func at(a *hclsyntax.Attribute) Place { return placeOf(a.Expr.Range()) }

// option panics where a name is not in the schema: a rule has misspelt it.
func (b *Body) option(name string) {
	if b.schema.byName[name] == nil {
		panic("block: " + b.schema.Name + " has no option " + name)
	}
}

// argument returns the argument of a name, or nil where it is absent.
func (b *Body) argument(name string) *hclsyntax.Attribute {
	b.option(name)
	return b.tree.Attributes[name]
}

// Given reports whether an argument is there, be it wrong or null.
func (b *Body) Given(name string) bool { return b.argument(name) != nil }

// At returns where an argument's value stands, or the block's head where it
// is absent.
func (b *Body) At(name string) Place {
	if a := b.argument(name); a != nil {
		return at(a)
	}
	return b.Head
}

// Constant reports whether an argument is there and depends on no variable, so
// that it is the same on every director.
func (b *Body) Constant(name string) bool {
	a := b.argument(name)
	return a != nil && len(a.Expr.Variables()) == 0
}

// EntryAt returns where an entry of a map begins, or where the map stands if that
// is not written out.
func (b *Body) EntryAt(name, key string) Place {
	if a := b.argument(name); a != nil {
		if object, ok := a.Expr.(*hclsyntax.ObjectConsExpr); ok {
			for _, entry := range object.Items {
				if k, diags := entry.KeyExpr.Value(b.ctx); !diags.HasErrors() && k.Type() == cty.String && k.IsKnown() && !k.IsNull() && k.AsString() == key {
					return placeOf(entry.KeyExpr.Range())
				}
			}
		}
	}
	return b.At(name)
}

// NameAt returns where an argument's name stands, or the block's head where it
// is absent.
func (b *Body) NameAt(name string) Place {
	if a := b.argument(name); a != nil {
		return placeOf(a.NameRange)
	}
	return b.Head
}

// LabelAt returns where a label stands.
func (b *Body) LabelAt(i int) Place { return placeOf(b.labelRanges[i]) }

// Refused reports whether something was wrong with the value of an argument,
// so that what depends on it can't be judged.
func (b *Body) Refused(name string) bool { return b.Given(name) && b.refusals[b.At(name)] }

// Require reports an argument that is absent or null, unless that may have been
// on a broken line. example is what could be written.
func (b *Body) Require(name, example string) {
	if b.incomplete && !b.Given(name) {
		return
	}
	if a := b.argument(name); a != nil {
		if v, diags := a.Expr.Value(b.ctx); diags.HasErrors() || !v.IsNull() {
			return
		}
	}
	b.Mistake(b.At(name), "Missing "+name, "This block needs it; for example: %s", example)
}

// Unused reports arguments that are there and have no effect.
func (b *Body) Unused(detail string, names ...string) {
	for _, name := range names {
		if b.Given(name) {
			b.Mistake(b.NameAt(name), "Unused "+name, "%s", detail)
		}
	}
}

// Block returns the first inner block of a type.
func (b *Body) Block(name string) (*Body, bool) {
	for inner := range b.Blocks(name) {
		return inner, true
	}
	return nil, false
}

// Blocks returns the inner blocks of a type.
func (b *Body) Blocks(name string) iter.Seq[*Body] {
	b.option(name)
	return func(yield func(*Body) bool) {
		for i := range b.inner {
			if b.inner[i].Type == name && !yield(&b.inner[i]) {
				return
			}
		}
	}
}

// Count returns how many inner blocks of a type there are.
func (b *Body) Count(name string) (n int) {
	for range b.Blocks(name) {
		n++
	}
	return n
}

// Clean reports whether nothing was reported so far of the whole top-level
// block.
func (b *Body) Clean() bool { return b.Mistakes+b.Doubts == 0 }

// maxName is how long the name of a block may be, in bytes.
const maxName = 200

// CheckName checks a label that is a name, which appears in logs and metrics.
func (b *Body) CheckName(label int) {
	switch name := b.Labels[label]; {
	case name == "":
		b.Mistake(b.LabelAt(label), "Empty name", "Write a name between the quotes.")
	case len(name) > maxName || strings.ContainsFunc(name, unicode.IsControl):
		b.Mistake(b.LabelAt(label), "Invalid name", "A name has at most %d bytes and no control characters.", maxName)
	}
}

// unknown reports a name that is none of this block's options: with the word
// that was meant, or the block where it belongs.
func (b *Body) unknown(what, name string, at Place) {
	summary := fmt.Sprintf("Unknown %s %q", what, name)
	names, owners := b.optionNames(), b.language.owners(name)
	hint, like := b.language.suggestion(name, names), alike(name, names)
	switch o := b.schema.byName[name]; {
	case b.language.Words[name] != "":
		b.Mistake(at, summary, "%s", b.language.Words[name])
	case o != nil && o.Block != nil && len(o.Block.Options) > 0 && len(o.Labels) == 0:
		b.Mistake(at, summary, "%s is a block, which has no equals sign: write %s { %s = … }", name, name, o.Block.Options[0].Name)
	case o != nil && o.Block != nil:
		b.Mistake(at, summary, "%s is a block, which has no equals sign: write %s { … }", name, example(o))
	case o != nil:
		b.Mistake(at, summary, "%s is an argument: write %s = …", name, name)
	case b.family != nil && len(b.family.kindsWith(name)) > 0:
		b.unused(what, name, at)
	case like != "":
		b.Mistake(at, summary, "There is no %s of this name here. Did you mean %q?", what, like)
	case slices.Contains(owners, b.language.Top.Name):
		b.Mistake(at, summary, "A %s block does not belong here: move it to %s.", name, b.language.Top.Name)
	case len(owners) == 1 && owners[0] == b.schema.Name:
		b.Mistake(at, summary, "Other blocks %q have %s, but not this one: remove it.", owners[0], name)
	case len(owners) > 0:
		belongs := "the block " + strconv.Quote(owners[0])
		if len(owners) > 1 {
			belongs = "one of the blocks " + conjunction(owners, "and")
		}
		b.Mistake(at, summary, "%q belongs in %s, not here.", name, belongs)
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
