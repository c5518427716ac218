package block

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// maxGenerated bounds how many blocks the dynamic blocks within one top-level
// block may make.
const maxGenerated = 100_000

// enter makes a schema the block's, and reports what is not in it.
func (b *Body) enter(s *Schema) {
	b.schema = s
	for name, a := range b.tree.Attributes {
		if o := s.byName[name]; o == nil || o.Block != nil {
			b.unknown("argument", name, placeOf(a.NameRange))
		}
	}
	if len(b.tree.Blocks) > 0 && b.inner == nil {
		b.inner = make([]Body, 0, len(b.tree.Blocks))
	}
	for _, x := range b.tree.Blocks {
		if x.Type == "dynamic" {
			b.generate(x)
			continue
		}
		b.accept(Body{
			decoder: b.decoder, Type: x.Type, Labels: x.Labels, Head: placeOf(x.DefRange()),
			labelRanges: x.LabelRanges, tree: x.Body, ctx: b.ctx,
		}, x.TypeRange, x.OpenBraceRange)
	}
}

// generate adds the blocks that a dynamic block stands for, one for each
// element of for_each, as Terraform does it:
//
//	dynamic "real_server" {
//	  for_each = local.mirrors
//	  labels   = [real_server.value]
//	  content { weight = 2 }
//	}
func (b *Body) generate(x *hclsyntax.Block) {
	g, ok := b.generator(x)
	if !ok {
		return
	}
	e := x.Body.Attributes["for_each"].Expr
	each, ok := b.value(e, "for_each", cty.DynamicPseudoType)
	if !ok {
		return
	}
	if !each.CanIterateElements() {
		b.Mistake(placeOf(e.Range()), "Invalid for_each", "It must be a list or a map, but this is %s.", given(each))
		return
	}
	if b.generated += each.LengthInt(); b.generated > maxGenerated {
		b.Mistake(placeOf(x.DefRange()), "Too many blocks", "The dynamic blocks within one block make more than %d.", maxGenerated)
		return
	}
	for it := each.ElementIterator(); it.Next(); {
		g.add(it.Element())
	}
}

// A generator makes the blocks of one dynamic block.
type generator struct {
	*Body
	block, content *hclsyntax.Block
	iterator       string
	labels         []hclsyntax.Expression
}

// generator returns what a dynamic block makes, and reports where it is
// incomplete or wrong.
func (b *Body) generator(x *hclsyntax.Block) (generator, bool) {
	g := generator{Body: b, block: x}
	head := placeOf(x.DefRange())
	if len(x.Labels) != 1 {
		b.Mistake(head, "Invalid dynamic block", "Its label is the type of the blocks that it makes: dynamic \"real_server\" {")
		return g, false
	}
	for name, a := range x.Body.Attributes {
		if name != "for_each" && name != "labels" && name != "iterator" {
			b.Mistake(placeOf(a.NameRange), fmt.Sprintf("Unknown argument %q", name), "A dynamic block has only for_each, labels and iterator; the arguments of the generated blocks belong in its content block.")
			return g, false
		}
	}
	if x.Body.Attributes["for_each"] == nil || len(x.Body.Blocks) != 1 || x.Body.Blocks[0].Type != "content" {
		b.Mistake(head, "Incomplete dynamic block", "It needs for_each (a list or a map) and one content block with what each generated block contains.")
		return g, false
	}
	if a := x.Body.Attributes["labels"]; a != nil {
		list, ok := a.Expr.(*hclsyntax.TupleConsExpr)
		if !ok {
			b.Mistake(at(a), "Invalid labels", "Write a list such as [%s.value], one item for each label.", x.Labels[0])
			return g, false
		}
		g.labels = list.Exprs
	}
	g.content, g.iterator = x.Body.Blocks[0], x.Labels[0]
	if a := x.Body.Attributes["iterator"]; a != nil {
		if g.iterator = hcl.ExprAsKeyword(a.Expr); g.iterator == "" {
			b.Mistake(at(a), "Invalid iterator", "Write the name of a variable, without quotes.")
			return g, false
		}
	}
	if o := b.schema.byName[x.Labels[0]]; o != nil && o.Block != nil && len(g.labels) != len(o.Labels) {
		b.Mistake(head, "Wrong labels", "The labels of the generated blocks are given in a list with one item for each: %s.", exampleLabels(o))
		return g, false
	}
	return g, true
}

// exampleLabels tells how the labels of generated blocks could be written.
func exampleLabels(o *Option) string {
	if len(o.Labels) == 0 {
		return o.Name + " has no label, so remove labels"
	}
	return "labels = [" + strings.Repeat(", "+o.Name+".value", len(o.Labels))[2:] + "]"
}

// add adds the block of one element.
func (g *generator) add(key, value cty.Value) {
	ctx := g.ctx.NewChild()
	ctx.Variables = map[string]cty.Value{g.iterator: cty.ObjectVal(map[string]cty.Value{"key": key, "value": value})}
	inner := Body{
		decoder: g.decoder, Type: g.block.Labels[0], Head: placeOf(g.block.DefRange()),
		tree: g.content.Body, ctx: ctx,
	}
	for _, e := range g.labels {
		label, ok := inner.value(e, "a label", cty.String)
		if !ok {
			return
		}
		inner.Labels = append(inner.Labels, label.AsString())
		inner.labelRanges = append(inner.labelRanges, e.Range())
	}
	g.accept(inner, g.block.LabelRanges[0], g.content.OpenBraceRange)
}
