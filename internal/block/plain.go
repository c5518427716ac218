package block

import (
	"bytes"
	"math/big"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// parseItem parses one top-level item. It returns the tree and the diagnostics
// of hclsyntax.ParseConfig in a fraction of its time where the item is plain.
func parseItem(text []byte, filename string, start hcl.Pos) (*hclsyntax.Body, hcl.Diagnostics) {
	if body, ok := parsePlain(text, filename, start); ok {
		return body, nil
	}
	file, diags := hclsyntax.ParseConfig(text, filename, start)
	return file.Body.(*hclsyntax.Body), diags
}

// parsePlain parses text whose structure is plain. The values of its arguments
// may be any: it parses quoted strings, whole numbers, true, false, null and
// references such as local.x, and leaves others to hclsyntax.
//
// The result is the tree, including all ranges, that hclsyntax.ParseConfig
// returns. Whatever ParseConfig would reject or warn about, and whatever is not
// certain to be the same, parsePlain reports as false.
//
// The parser recurses on nested blocks: the caller bounds their depth.
func parsePlain(text []byte, filename string, start hcl.Pos) (*hclsyntax.Body, bool) {
	if bytes.IndexByte(text, '\r') >= 0 || bytes.IndexByte(text, endOfText) >= 0 || !utf8.Valid(text) {
		return nil, false
	}
	p := plainParser{
		cursor: cursor{text: text, line: start.Line, lineStart: 1 - start.Column},
		names:  string(text), filename: filename, startByte: start.Byte,
	}
	p.next()
	at := p.point()
	body, ok := p.items(endOfText)
	if ok {
		body.SrcRange, body.EndRange = p.since(at), p.since(p.point())
	}
	return body, ok
}

// The bytes that next returns at the end of the text and at a comment that is
// not plain, which it never passes. Plain text contains neither.
const (
	endOfText = 0x00
	notPlain  = 0xff
)

// A plainParser reads a text from its beginning to its end. What precedes pos on
// its line is ASCII, except after expression, so that every byte is a column.
type plainParser struct {
	cursor
	names     string // a copy of text: names in the tree are substrings of it
	filename  string
	startByte int // the position of text in the file
}

// point returns the position in the file.
func (p *plainParser) point() hcl.Pos {
	return hcl.Pos{Line: p.line, Column: p.pos - p.lineStart + 1, Byte: p.startByte + p.pos}
}

// since returns the range from a point to the position.
func (p *plainParser) since(start hcl.Pos) hcl.Range {
	return hcl.Range{Filename: p.filename, Start: start, End: p.point()}
}

// symbol passes one byte and returns its range.
func (p *plainParser) symbol() hcl.Range {
	start := p.point()
	p.pos++
	return p.since(start)
}

// next passes spaces and comments within a line and returns the byte that
// follows them. A comment that ends with its line counts as the newline.
func (p *plainParser) next() byte {
	for p.pos < len(p.text) {
		switch c := p.text[p.pos]; {
		case c == ' ' || c == '\t':
			p.pos++
		case c == '#' || c == '/' && p.startsWith("//"):
			return p.lineComment()
		case c == '/' && p.startsWith("/*"):
			if !p.passComment() {
				return notPlain
			}
		default:
			return c
		}
	}
	return endOfText
}

// lineComment returns what next returns at a comment that starts with # or //.
// It passes the comment only if the text ends with it.
func (p *plainParser) lineComment() byte {
	rest := p.text[p.pos:]
	if bytes.IndexByte(rest, '\n') >= 0 {
		return '\n'
	}
	if !isASCII(rest) {
		return notPlain
	}
	p.pos = len(p.text)
	return endOfText
}

// passComment passes a comment between /* and */. It reports false, and passes
// nothing, if the comment is not closed or not ASCII.
func (p *plainParser) passComment() bool {
	before := p.cursor
	p.pos += len("/*")
	p.skipTo("*/")
	if !p.startsWith("*/") || !isASCII(p.text[before.pos:p.pos]) {
		p.cursor = before
		return false
	}
	p.pos += len("*/")
	return true
}

func isASCII(text []byte) bool { return utf8.RuneCount(text) == len(text) }

// lineEnds reports whether only a comment is left on the line.
func (p *plainParser) lineEnds() bool {
	c := p.next()
	return c == '\n' || c == endOfText
}

// items parses the arguments and blocks of a body, up to the byte that ends it.
func (p *plainParser) items(end byte) (*hclsyntax.Body, bool) {
	body := &hclsyntax.Body{Attributes: hclsyntax.Attributes{}, Blocks: hclsyntax.Blocks{}}
	for c := p.next(); c != end; c = p.next() {
		if c == '\n' {
			p.skipTo("\n")
			p.newline()
		} else if !p.item(body) || !p.lineEnds() {
			return nil, false
		}
	}
	return body, true
}

// item parses an argument or a block.
func (p *plainParser) item(body *hclsyntax.Body) (ok bool) {
	name, nameRange := p.name()
	if name == "" {
		return false
	}
	if p.next() != '=' {
		block, ok := p.block(name, nameRange)
		body.Blocks = append(body.Blocks, block)
		return ok
	}
	if body.Attributes[name] != nil {
		return false
	}
	body.Attributes[name], ok = p.argument(name, nameRange)
	return ok
}

// name parses an identifier. It returns an empty one where there is none.
func (p *plainParser) name() (string, hcl.Range) {
	start, from := p.point(), p.pos
	if p.pass(letter); p.pos == from {
		return "", hcl.Range{}
	}
	p.pass(letter | digit | hyphen)
	return p.names[from:p.pos], p.since(start)
}

// argument parses what follows the name of an argument.
func (p *plainParser) argument(name string, nameRange hcl.Range) (*hclsyntax.Attribute, bool) {
	equals := p.symbol()
	value, ok := p.value()
	if !ok {
		return nil, false
	}
	return &hclsyntax.Attribute{
		Name:        name,
		Expr:        value,
		SrcRange:    hcl.RangeBetween(nameRange, value.Range()),
		NameRange:   nameRange,
		EqualsRange: equals,
	}, true
}

// block parses what follows the type of a block: labels and a body.
func (p *plainParser) block(name string, nameRange hcl.Range) (*hclsyntax.Block, bool) {
	block := &hclsyntax.Block{Type: name, TypeRange: nameRange}
	for p.next() != '{' {
		label, labelRange, ok := p.label()
		if !ok {
			return nil, false
		}
		block.Labels = append(block.Labels, label)
		block.LabelRanges = append(block.LabelRanges, labelRange)
	}
	block.OpenBraceRange = p.symbol()
	var ok bool
	block.Body, block.CloseBraceRange, ok = p.body(block.OpenBraceRange)
	return block, ok
}

// body parses the body of a block and its closing brace, whose range it returns.
func (p *plainParser) body(open hcl.Range) (body *hclsyntax.Body, end hcl.Range, ok bool) {
	c := p.next()
	oneLine := c != '\n' && c != '}'
	if oneLine {
		body, ok = p.singleArgument()
	} else {
		body, ok = p.items('}')
	}
	if !ok || p.next() != '}' {
		return nil, end, false
	}
	end = p.symbol()
	if !oneLine {
		body.SrcRange, body.EndRange = hcl.RangeBetween(open, end), p.since(p.point())
	}
	return body, end, true
}

// label parses a label of a block, be it quoted or bare.
func (p *plainParser) label() (string, hcl.Range, bool) {
	if p.next() == '"' {
		start := p.point()
		label, ok := p.quoted()
		return label, p.since(start), ok
	}
	label, labelRange := p.name()
	return strings.Clone(label), labelRange, label != "" // a label outlives the tree
}

// singleArgument parses the body of a block that has one argument, on the line
// of its braces.
func (p *plainParser) singleArgument() (*hclsyntax.Body, bool) {
	name, nameRange := p.name()
	if name == "" || p.next() != '=' {
		return nil, false
	}
	a, ok := p.argument(name, nameRange)
	if !ok {
		return nil, false
	}
	body := &hclsyntax.Body{Attributes: hclsyntax.Attributes{name: a}, SrcRange: a.SrcRange, EndRange: a.SrcRange}
	body.EndRange.Start = a.SrcRange.End
	return body, true
}

// value parses the value of an argument.
func (p *plainParser) value() (hclsyntax.Expression, bool) {
	p.next()
	before := p.cursor
	if value, ok := p.plainValue(); ok && (p.lineEnds() || p.next() == '}') {
		return value, true
	}
	p.cursor = before
	return p.expression()
}

// plainValue parses a value of the kinds that need no hclsyntax.
func (p *plainParser) plainValue() (hclsyntax.Expression, bool) {
	switch c := p.next(); {
	case c == '"':
		return p.template()
	case byteClass[c]&digit != 0:
		return p.number()
	}
	return p.word()
}

// expression has hclsyntax parse a value. It ends with its line, or before the
// brace of a block on this line.
func (p *plainParser) expression() (hclsyntax.Expression, bool) {
	s := scanner{cursor: p.cursor, open: true}
	for !s.atEnd('\n') && !s.atEnd('}') {
		s.step()
	}
	text := p.text[p.pos:s.pos]
	if bytes.HasPrefix(text, byteOrderMark) || !s.startsWith("\n") && !isASCII(text) { // ParseExpression skips the mark
		return nil, false
	}
	value, diags := hclsyntax.ParseExpression(text, p.filename, p.point())
	p.cursor = s.cursor
	return value, len(diags) == 0
}

// template parses a quoted string.
func (p *plainParser) template() (hclsyntax.Expression, bool) {
	start := p.point()
	text, ok := p.quoted()
	if !ok {
		return nil, false
	}
	value := &hclsyntax.TemplateExpr{SrcRange: p.since(start)}
	inner := p.since(p.point()) // hclsyntax puts an empty text after the closing quote
	if text != "" {
		inner.Start.Byte, inner.Start.Column = start.Byte+1, start.Column+1
		inner.End.Byte, inner.End.Column = inner.End.Byte-1, inner.End.Column-1
	}
	value.Parts = []hclsyntax.Expression{&hclsyntax.LiteralValueExpr{Val: cty.StringVal(text), SrcRange: inner}}
	return value, true
}

// quoted passes a quoted string without escapes and returns what is between
// the quotes.
func (p *plainParser) quoted() (string, bool) {
	p.pos++
	start := p.pos
	p.pass(inText)
	if p.pos == len(p.text) || p.text[p.pos] != '"' {
		return "", false
	}
	p.pos++
	return string(p.text[start : p.pos-1]), true
}

// number parses a whole number.
func (p *plainParser) number() (hclsyntax.Expression, bool) {
	start, from := p.point(), p.pos
	p.pass(digit)
	n, err := strconv.ParseInt(p.names[from:p.pos], 10, 64)
	value := cty.NumberVal(new(big.Float).SetPrec(512).SetInt64(n)) // the precision of hclsyntax
	return &hclsyntax.LiteralValueExpr{Val: value, SrcRange: p.since(start)}, err == nil
}

var keywords = map[string]cty.Value{
	"true":  cty.True,
	"false": cty.False,
	"null":  cty.NullVal(cty.DynamicPseudoType),
}

// word parses a keyword, or a reference such as local.x.
func (p *plainParser) word() (hclsyntax.Expression, bool) {
	name, nameRange := p.name()
	if name == "" {
		return nil, false
	}
	if value, ok := keywords[name]; ok {
		return &hclsyntax.LiteralValueExpr{Val: value, SrcRange: nameRange}, true
	}
	path := hcl.Traversal{hcl.TraverseRoot{Name: name, SrcRange: nameRange}}
	for p.startsWith(".") {
		start := p.point()
		p.pos++
		if name, _ = p.name(); name == "" {
			return nil, false
		}
		path = append(path, hcl.TraverseAttr{Name: name, SrcRange: p.since(start)})
	}
	return &hclsyntax.ScopeTraversalExpr{Traversal: path, SrcRange: p.since(nameRange.Start)}, true
}
