package block

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// locals are the arguments of all locals blocks, evaluated in the order in
// which they need each other.
type locals struct {
	exprs  map[string]*hclsyntax.Attribute
	values map[string]cty.Value
	// path is what is being evaluated now, each needed by the one before it.
	path []string
}

// evaluateLocals reads every locals block and adds their values to the
// context. A local that has a mistake is unknown, so that whoever uses it
// does not report it again.
func (d *decoder) evaluateLocals() {
	l := locals{exprs: map[string]*hclsyntax.Attribute{}, values: map[string]cty.Value{}}
	for _, f := range d.sources.files {
		for _, c := range f.blocks {
			if c.kind == localsType {
				d.options.reading(0, f.head(c), c.header(f.text))
				d.collectLocals(f, c, l.exprs)
			}
		}
	}
	d.locals = slices.Sorted(maps.Keys(l.exprs))
	for _, name := range d.locals {
		d.evaluateLocal(&l, name)
	}
	d.context.Variables["local"] = cty.ObjectVal(l.values)
}

func (d *decoder) collectLocals(f *source, c chunk, into map[string]*hclsyntax.Attribute) {
	defer d.survive(f.head(c), "block")
	body, ok := d.parse(f, c)
	if !ok {
		return
	}
	for _, x := range body.Blocks {
		if len(x.Labels) > 0 {
			d.Mistake(placeOf(x.LabelRanges[0]), "Unexpected label for locals", "A locals block has no label: remove it.")
		}
		for _, inner := range x.Body.Blocks {
			d.Mistake(placeOf(inner.TypeRange), fmt.Sprintf("Unknown block %q", inner.Type), "A locals block contains only arguments, name = value.")
		}
		for _, name := range slices.Sorted(maps.Keys(x.Body.Attributes)) {
			a := x.Body.Attributes[name]
			if first, again := into[name]; again {
				d.Mistake(placeOf(a.NameRange), "Duplicate local", "local.%s is already defined at %s: remove one of them.", name, placeOf(first.NameRange))
				continue
			}
			into[name] = a
		}
	}
}

// evaluateLocal evaluates a local after those that it needs.
func (d *decoder) evaluateLocal(l *locals, name string) {
	a := l.exprs[name]
	if _, done := l.values[name]; done || a == nil {
		return
	}
	circle := slices.Index(l.path, name)
	if circle >= 0 || len(l.path) >= maxNesting {
		if circle >= 0 {
			d.Mistake(placeOf(a.NameRange), "Circular local", "local.%s depends on itself: it is computed from %s.",
				name, strings.Join(l.path[circle:], ", "))
		} else {
			d.Mistake(placeOf(a.NameRange), "Too many locals in a row", "local.%s needs a local that needs another one, and so on, for more than %d locals: use fewer.",
				name, maxNesting)
		}
		l.values[name] = cty.DynamicVal
		return
	}
	l.path = append(l.path, name)
	uses := a.Expr.Variables()
	for _, t := range uses {
		if needed := localName(t); needed != "" {
			d.evaluateLocal(l, needed)
		}
	}
	l.path = l.path[:len(l.path)-1]
	if _, broken := l.values[name]; broken {
		return
	}
	d.options.reading(0, placeOf(a.NameRange), "local."+name)
	d.context.Variables["local"] = cty.ObjectVal(l.needed(uses))
	v := d.safely(a)
	if n := size(v); n > maxLocal {
		d.Mistake(placeOf(a.NameRange), "Huge local", "local.%s has %d bytes or elements, but the limit is %d.", name, n, maxLocal)
		v = cty.DynamicVal
	}
	l.values[name] = v
}

// needed returns the values that an expression with these variables can use.
// Giving all of them to each would take a time that grows with their square.
func (l *locals) needed(uses []hcl.Traversal) map[string]cty.Value {
	values := map[string]cty.Value{}
	for _, t := range uses {
		if name := localName(t); name != "" {
			if v, ok := l.values[name]; ok {
				values[name] = v
			}
		} else if t.RootName() == "local" { // all of them, such as local["x"]
			return l.values
		}
	}
	return values
}

// maxLocal bounds a local, in bytes of text or elements: one that doubles
// another, forty times over, must not take all the memory.
const maxLocal = 1 << 20

// size is the length of a text or a collection.
func size(v cty.Value) int {
	switch {
	case !v.IsKnown() || v.IsNull():
		return 0
	case v.Type() == cty.String:
		return len(v.AsString())
	case v.CanIterateElements():
		return v.LengthInt()
	default:
		return 0
	}
}

// safely evaluates a local; one with a mistake is unknown.
func (d *decoder) safely(a *hclsyntax.Attribute) (v cty.Value) {
	v = cty.DynamicVal
	defer d.survive(placeOf(a.SrcRange), "local")
	value, diags := a.Expr.Value(d.ctx)
	if d.explain(diags); !diags.HasErrors() {
		v = value
	}
	return v
}

// localName returns X where a traversal begins with local.X.
func localName(t hcl.Traversal) string {
	if len(t) < 2 || t.RootName() != "local" {
		return ""
	}
	step, _ := t[1].(hcl.TraverseAttr)
	return step.Name
}
