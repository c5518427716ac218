package config

import (
	"crypto/sha256"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// newContext makes what expressions see: node, env, and the functions besides
// file. The locals are added by evaluateLocals.
func newContext(s Sources, o Options) *hcl.EvalContext {
	env := map[string]cty.Value{}
	for _, name := range s.envNames() {
		if v, ok := o.lookup(name); ok {
			env[name] = cty.StringVal(v)
		}
	}
	return &hcl.EvalContext{
		Variables: map[string]cty.Value{
			"node":  cty.ObjectVal(map[string]cty.Value{"name": cty.StringVal(o.Node)}),
			"env":   cty.ObjectVal(env),
			"local": cty.EmptyObjectVal,
		},
		Functions: functions,
	}
}

// A fileRead is a file that a block named, by its path, and the digest of what
// was read: the text or the error.
type fileRead struct {
	path string
	sum  [sha256.Size]byte
}

// readFile reads a file that the configuration names, and remembers it.
func (d *decoder) readFile(name string) ([]byte, error) {
	path := d.sources.resolve(name)
	text, err := readRegular(path, maxFile)
	r := fileRead{path, sumOf(text, err)}
	if !slices.Contains(d.files, r) {
		d.files = append(d.files, r)
	}
	return text, err
}

func sumOf(text []byte, err error) [sha256.Size]byte {
	if err != nil {
		text = []byte(err.Error())
	}
	return sha256.Sum256(text)
}

// unchanged reports whether every file is what it was when it was read.
func unchanged(files []fileRead) bool {
	return !slices.ContainsFunc(files, func(f fileRead) bool {
		return sumOf(readRegular(f.path, maxFile)) != f.sum
	})
}

// locals are the arguments of all locals blocks, evaluated in the order in
// which they need each other.
type locals struct {
	exprs  map[string]*hcl.Attribute
	values map[string]cty.Value
	// path is what is being evaluated now, each needed by the one before it.
	path []string
}

// evaluateLocals reads every locals block and adds their values to the
// context. A local that has a mistake is unknown, so that whoever uses it
// does not report it again.
func (d *decoder) evaluateLocals() {
	l := locals{exprs: map[string]*hcl.Attribute{}, values: map[string]cty.Value{}}
	for _, f := range d.sources.files {
		for _, c := range f.blocks {
			if c.kind == "locals" {
				d.options.reading(0, f, c)
				d.collectLocals(f, c, l.exprs)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(l.exprs)) {
		d.evaluateLocal(&l, name)
	}
}

func (d *decoder) collectLocals(f *source, c chunk, into map[string]*hcl.Attribute) {
	defer d.survive(f, c)
	raw, ok := d.parseChunk(f, c)
	if !ok {
		return
	}
	for _, block := range raw.Locals {
		for name, a := range block.Values {
			if first, again := into[name]; again {
				d.mistake(a.NameRange, "Duplicate local", "local.%s is defined at %s:%d already: remove one of them.",
					name, first.NameRange.Filename, first.NameRange.Start.Line)
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
			d.mistake(a.NameRange, "Circular local", "local.%s needs itself: it is computed from %s.",
				name, strings.Join(l.path[circle:], ", "))
		} else {
			d.mistake(a.NameRange, "Too many locals in a row", "local.%s is at the end of more than %d locals that each need the next: use fewer.",
				name, maxNesting)
		}
		d.define(l, name, cty.DynamicVal)
		return
	}
	l.path = append(l.path, name)
	for _, t := range a.Expr.Variables() {
		if needed := localName(t); needed != "" {
			d.evaluateLocal(l, needed)
		}
	}
	l.path = l.path[:len(l.path)-1]
	if _, broken := l.values[name]; broken {
		return
	}
	d.options.readingLocal(a)
	v := d.safely(a)
	if n := size(v); n > maxLocal {
		d.mistake(a.NameRange, "Huge local", "local.%s has %d bytes or elements, and %d are the limit.", name, n, maxLocal)
		v = cty.DynamicVal
	}
	d.define(l, name, v)
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

func (d *decoder) define(l *locals, name string, v cty.Value) {
	l.values[name] = v
	d.ctx.Parent().Variables["local"] = cty.ObjectVal(l.values)
}

// safely evaluates a local; one with a mistake is unknown.
func (d *decoder) safely(a *hcl.Attribute) (v cty.Value) {
	defer func() {
		if p := recover(); p != nil {
			d.mistake(a.Range, "Unreadable local", "Evaluating it failed in an unforeseen way (%v): please report it, and write it in a simpler way.", p)
			v = cty.DynamicVal
		}
	}()
	v, diags := a.Expr.Value(d.ctx)
	if d.report(diags...); diags.HasErrors() {
		return cty.DynamicVal
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
