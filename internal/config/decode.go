package config

import (
	"fmt"
	"reflect"
	"strings"
	"sync"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// The raw structs bear gohcl's tags, and decodeBody does with them what
// gohcl.DecodeBody would. That one reads the tags anew for every block, which
// took half the time of a configuration with 10,000 servers.

// A layout is what the tags of a raw struct say.
type layout struct {
	schema      hcl.BodySchema
	arguments   map[string]int // fields, by the argument's name
	blocks      map[string]int
	labelCounts map[string]int // how many labels a block has, by its type
	labels      []int
	labelRange  map[int]int // the field of a label's range, by the label's place
	defRange    int
	remain      int
}

// layouts holds the layout of every raw struct that was decoded so far. They
// never change, so it may be shared.
var layouts sync.Map

func layoutOf(t reflect.Type) *layout {
	if l, ok := layouts.Load(t); ok {
		return l.(*layout)
	}
	l := newLayout(t)
	layouts.Store(t, l)
	return l
}

func newLayout(t reflect.Type) *layout {
	l := &layout{
		arguments: map[string]int{}, blocks: map[string]int{}, labelCounts: map[string]int{}, labelRange: map[int]int{},
		defRange: -1, remain: -1,
	}
	places := map[string]int{}
	for i := range t.NumField() {
		f := t.Field(i)
		name, kind, _ := strings.Cut(f.Tag.Get("hcl"), ",")
		switch kind {
		case "":
			l.arguments[name] = i
			l.schema.Attributes = append(l.schema.Attributes, hcl.AttributeSchema{Name: name})
		case "block":
			l.blocks[name] = i
			labels := labelNames(f.Type)
			l.labelCounts[name] = len(labels)
			l.schema.Blocks = append(l.schema.Blocks, hcl.BlockHeaderSchema{Type: name, LabelNames: labels})
		case "label":
			places[name] = len(l.labels)
			l.labels = append(l.labels, i)
		case "label_range":
			l.labelRange[places[name]] = i // stands after its label
		case "def_range":
			l.defRange = i
		case "remain":
			l.remain = i
		}
	}
	return l
}

// labelNames lists the labels of a block, given the type of its field.
func labelNames(t reflect.Type) (names []string) {
	t = t.Elem() // a slice or a pointer
	for i := range t.NumField() {
		if name, kind, _ := strings.Cut(t.Field(i).Tag.Get("hcl"), ","); kind == "label" {
			names = append(names, name)
		}
	}
	return names
}

// decodeBody fills a raw struct with the arguments and blocks of a body.
func decodeBody(body hcl.Body, into reflect.Value) hcl.Diagnostics {
	l := layoutOf(into.Type())
	if l.remain >= 0 {
		attributes, diags := body.JustAttributes()
		into.Field(l.remain).Set(reflect.ValueOf(attributes))
		return diags
	}
	if tree, ok := body.(*hclsyntax.Body); ok && l.fits(tree) {
		return l.decodeTree(tree, into)
	}
	content, diags := body.Content(&l.schema)
	if content == nil {
		return diags
	}
	for name, a := range content.Attributes {
		into.Field(l.arguments[name]).Set(reflect.ValueOf(a))
	}
	return append(diags, l.decodeBlocks(content.Blocks, into)...)
}

// fits says whether everything in a tree is known to the schema. Content would
// have nothing to report of it, and decodeTree does without the lists and maps
// that Content makes for every body.
func (l *layout) fits(tree *hclsyntax.Body) bool {
	for name := range tree.Attributes {
		if _, known := l.arguments[name]; !known {
			return false
		}
	}
	for _, b := range tree.Blocks {
		if labels, known := l.labelCounts[b.Type]; !known || labels != len(b.Labels) {
			return false
		}
	}
	return true
}

// decodeTree fills a raw struct from a tree that fits.
func (l *layout) decodeTree(tree *hclsyntax.Body, into reflect.Value) hcl.Diagnostics {
	for name, a := range tree.Attributes {
		into.Field(l.arguments[name]).Set(reflect.ValueOf(a.AsHCLAttribute()))
	}
	blocks := make(hcl.Blocks, len(tree.Blocks))
	for i, b := range tree.Blocks {
		blocks[i] = b.AsHCLBlock()
	}
	return l.decodeBlocks(blocks, into)
}

// decodeBlocks adds the blocks of one body to the fields of their types.
func (l *layout) decodeBlocks(blocks hcl.Blocks, into reflect.Value) (diags hcl.Diagnostics) {
	counts := map[string]int{}
	for _, b := range blocks {
		counts[b.Type]++
	}
	for _, b := range blocks {
		diags = append(diags, decodeBlock(b, into.Field(l.blocks[b.Type]), counts[b.Type])...)
	}
	return diags
}

// decodeBlock adds a block, one of so many of its type, to its field: a slice
// of raw structs, or a pointer to one, which only one block may claim.
func decodeBlock(b *hcl.Block, field reflect.Value, count int) hcl.Diagnostics {
	var v reflect.Value
	if field.Kind() == reflect.Slice {
		if field.IsNil() {
			field.Set(reflect.MakeSlice(field.Type(), 0, count))
		}
		field.SetLen(field.Len() + 1)
		v = field.Index(field.Len() - 1)
	} else {
		if !field.IsNil() {
			return hcl.Diagnostics{{
				Severity: hcl.DiagError,
				Summary:  fmt.Sprintf("Duplicate %s block", b.Type),
				Detail:   fmt.Sprintf("There can be one %s block here: put everything into the first one.", b.Type),
				Subject:  &b.DefRange,
			}}
		}
		field.Set(reflect.New(field.Type().Elem()))
		v = field.Elem()
	}
	l := layoutOf(v.Type())
	for i, f := range l.labels {
		v.Field(f).SetString(b.Labels[i])
		if r, ok := l.labelRange[i]; ok {
			v.Field(r).Set(reflect.ValueOf(b.LabelRanges[i]))
		}
	}
	if l.defRange >= 0 {
		v.Field(l.defRange).Set(reflect.ValueOf(b.DefRange))
	}
	return decodeBody(b.Body, v)
}
