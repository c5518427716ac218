package config

import (
	"bytes"
	"fmt"
	"reflect"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/dynblock"
	"github.com/zclconf/go-cty/cty/function"

	"github.com/lvsd/lvsd/vrrp"
)

// Parse turns the files into a configuration for one node. It returns every
// mistake at once, and no Config where one is an error; a valid one may come
// with warnings.
func Parse(s Sources, o Options) (*Config, Diagnostics) {
	out, diags := ParseWith(s, o, nil)
	return out.Complete(nil), diags
}

// A scope is what every block of a configuration may refer to. Once the locals
// are evaluated nothing in it changes, so that blocks can be decoded at the
// same time: what HCL's expressions do with a context, and its functions with
// values, is to read them.
type scope struct {
	sources Sources
	options Options
	ctx     *hcl.EvalContext
	// broken is set where a local has a mistake, so that its value, and those
	// computed from it, are unknown.
	broken bool
}

// A result is what one block says.
type result struct {
	reports
	directors []Director
	routers   []vrrp.Config
	services  []Service
	claims    []claim
	files     []fileRead
	block     Block
}

// A decoder turns one block into a result. It changes nothing else.
type decoder struct {
	scope
	result
	// refusals are the places of what was refused.
	refusals map[hcl.Range]bool
}

// newDecoder returns a decoder that evaluates expressions in the scope. Its
// context is its own, to know which files are read for this block.
func newDecoder(s scope) *decoder {
	d := &decoder{scope: s, refusals: map[hcl.Range]bool{}}
	d.ctx = s.ctx.NewChild()
	d.ctx.Functions = map[string]function.Function{"file": fileFunction(d.readFile)}
	return d
}

// prepare cuts the files into blocks and evaluates the locals: the scope of
// all other blocks.
func prepare(s Sources, o Options) (scope, result) {
	sc := scope{sources: s, options: o, ctx: newContext(s, o)}
	d := newDecoder(sc)
	for _, f := range s.files {
		d.cut(f)
	}
	before := d.mistakes
	d.evaluateLocals()
	o.read(0)
	sc.broken = d.mistakes > before
	return sc, d.result
}

// cut cuts a file into its blocks; one that is no configuration has none.
func (d *decoder) cut(f *source) {
	f.blocks, f.opaque = nil, false
	if !d.legible(f) {
		return
	}
	f.blocks = split(f.text)
	if d.keepalived(f) {
		f.blocks = nil
	}
}

// report adds mistakes, in words that fit this language. They keep no
// expression: a tree must not outlive its block.
func (d *decoder) report(diags ...*hcl.Diagnostic) {
	for _, diag := range diags {
		d.reports.add(d.explain(diag))
	}
}

// decode returns what one top-level item says.
func (s scope) decode(f *source, c chunk) result {
	d := newDecoder(s)
	d.decodeChunk(f, c)
	return d.result
}

func (d *decoder) decodeChunk(f *source, c chunk) {
	defer d.survive(f, c)
	raw, ok := d.parseChunk(f, c)
	if !ok {
		return
	}
	for i := range raw.Directors {
		d.director(&raw.Directors[i])
	}
	for i := range raw.Routers {
		d.router(&raw.Routers[i])
	}
	for i := range raw.Services {
		d.service(&raw.Services[i])
	}
	for _, l := range raw.Locals {
		d.mistake(l.Range, "Dynamic locals", "Locals are evaluated before anything else and can't be generated: write a locals block.")
	}
}

// survive turns a panic into a mistake. The parser and the functions are
// others' code and read what anybody may have written: whatever happens
// there must not end the daemon.
func (d *decoder) survive(f *source, c chunk) {
	if p := recover(); p != nil {
		d.mistake(f.head(c), "Unreadable block", "Reading this item failed in an unforeseen way (%v): please report it, and write the item in a simpler way.", p)
	}
}

// head returns the first line of a top-level item, up to its brace.
func (f *source) head(c chunk) hcl.Range {
	start, end := c.pos(), c.pos()
	end.Byte += len(c.header(f.text))
	end.Column += len(c.header(f.text))
	return hcl.Range{Filename: f.name, Start: start, End: end}
}

// parseChunk parses one top-level item. Where its syntax is broken, only that
// is reported: what the parser made of the rest is guesswork.
func (d *decoder) parseChunk(f *source, c chunk) (raw rawFile, ok bool) {
	if c.excess != "" {
		d.mistake(f.head(c), "Block too complex", "This item %s to be read safely.", c.excess)
		return raw, false
	}
	text := f.text[c.start:c.end]
	if !utf8.Valid(text) {
		d.mistake(f.head(c), "Not UTF-8", "This item has bytes that are no text in UTF-8: save the file in that encoding.")
		return raw, false
	}
	body, diags := parseItem(text, f.name, c.pos())
	if diags.HasErrors() {
		d.report(d.hints(f, c, diags)...)
		return raw, false
	}
	if bytes.Contains(text, []byte("dynamic")) {
		body = dynblock.Expand(body, d.ctx)
	}
	d.report(decodeBody(body, reflect.ValueOf(&raw).Elem())...)
	return raw, true
}

// hints puts the parser's diagnostics into words that help: where a brace may
// be missing, and nothing of what follows from a quote that is.
func (d *decoder) hints(f *source, c chunk, diags hcl.Diagnostics) hcl.Diagnostics {
	for i, diag := range diags {
		if i >= maxMistakes {
			break
		}
		if translate(f, diag) {
			continue
		}
		switch diag.Summary {
		case "Invalid multi-line string":
			diag.Detail = "The closing quote is missing on this line. Text of several lines is written as <<EOT, the lines, and EOT on a line of its own."
			return diags[i : i+1]
		case "Unclosed configuration block":
			if line := nextBlock(f, c); line > 0 {
				diag.Detail = fmt.Sprintf("There is no closing brace for this block. At line %d begins a block that belongs beside it: write the missing } before that.", line)
			}
		}
	}
	return diags
}

// nextBlock returns the line on which, inside an item, a top-level block seems
// to begin, or 0.
func nextBlock(f *source, c chunk) int {
	text := f.text[c.start:c.end]
	for _, b := range layoutOf(reflect.TypeFor[rawFile]()).schema.Blocks {
		if i := bytes.Index(text, []byte("\n"+b.Type+" ")); i >= 0 {
			return c.line + 1 + bytes.Count(text[:i], []byte("\n"))
		}
	}
	return 0
}
