package block

import (
	"fmt"
	"math/big"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// evaluate computes an expression and converts it to a type. ok is false where
// there is no value to judge: it is null, or a mistake that was reported.
func (b *Body) evaluate(e hcl.Expression, name string, want cty.Type) (v cty.Value, ok bool) {
	v, diags := quickValue(e, b.ctx)
	if diags.HasErrors() {
		b.refusals[placeOf(e.Range())] = true
		b.explain(diags)
		return cty.NilVal, false
	}
	if !v.IsWhollyKnown() {
		if !b.broken && b.Mistakes == 0 { // else it follows from one of those
			b.Mistake(placeOf(e.Range()), "Unknown value", "The value of %s can't be computed: write it in a simpler way.", name)
		}
		b.refusals[placeOf(e.Range())] = true
	}
	if !v.IsWhollyKnown() || v.IsNull() {
		return cty.NilVal, false
	}
	out, err := convert.Convert(v, want)
	if err != nil || out.IsNull() {
		b.Mistake(placeOf(e.Range()), "Wrong type for "+name, "%s", wrongType(v, want))
		return cty.NilVal, false
	}
	return out, true
}

// quickValue is e.Value, which takes long for a text without expressions.
func quickValue(e hcl.Expression, ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	if t, ok := e.(*hclsyntax.TemplateExpr); ok && t.IsStringLiteral() {
		return t.Parts[0].Value(ctx)
	}
	return e.Value(ctx)
}

// value is evaluate where null is a mistake.
func (b *Body) value(e hcl.Expression, name string, want cty.Type) (cty.Value, bool) {
	v, ok := b.evaluate(e, name, want)
	if !ok && !b.refusals[placeOf(e.Range())] {
		b.Mistake(placeOf(e.Range()), "Missing value", "The value of %s is null.", name)
	}
	return v, ok
}

// wrongType says why a value cannot be converted to a type: because of what it
// is or, if it is a map as it should be, of a value in it.
func wrongType(v cty.Value, want cty.Type) string {
	if want.IsMapType() && len(keysOf(v)) > 0 {
		for it := v.ElementIterator(); it.Next(); {
			_, element := it.Element()
			if _, err := convert.Convert(element, want.ElementType()); err != nil {
				return fmt.Sprintf("Each value in it must be %s, but one is %s.", typeName(want.ElementType()), given(element))
			}
		}
	}
	return fmt.Sprintf("It must be %s, but this is %s%s.", typeName(want), given(v), inList(v, want))
}

// typeName returns what a type is called in the words of the examples.
func typeName(t cty.Type) string {
	switch {
	case t == cty.String:
		return `text such as "x"`
	case t == cty.Number:
		return "a number"
	case t == cty.Bool:
		return "true or false"
	case t.IsListType() || t.IsTupleType() || t.IsSetType():
		return "a list such as [a, b]"
	case t.IsMapType() || t.IsObjectType():
		return "a map such as { a = b }"
	default:
		return t.FriendlyName()
	}
}

// inList tells how to make a value a list where one is wanted.
func inList(v cty.Value, want cty.Type) string {
	text, err := convert.Convert(v, cty.String)
	switch {
	case !want.IsListType() || err != nil || text.IsNull() || len(text.AsString()) >= 40:
		return ""
	case v.Type() == cty.Number:
		return fmt.Sprintf(": write [%s]", text.AsString())
	default:
		return fmt.Sprintf(": write [%q]", text.AsString())
	}
}

// given describes what a value is that has the wrong type.
func given(v cty.Value) string {
	if v.Type() == cty.String && len(v.AsString()) < 40 {
		return fmt.Sprintf("the text %q", v.AsString())
	}
	return typeName(v.Type())
}

func (b *Body) text(a *hclsyntax.Attribute) (string, bool) {
	v, ok := b.evaluate(a.Expr, a.Name, cty.String)
	if !ok {
		return "", false
	}
	if n := len(v.AsString()); n > maxText {
		b.Mistake(at(a), "Text too long", "%s has %d bytes, but the limit is %d.", a.Name, n, maxText)
		return "", false
	}
	return v.AsString(), true
}

// maxText bounds the text of one argument, in bytes.
const maxText = 64 << 10

// UnknownWord reports a word that is none of those it could be.
func (b *Body) UnknownWord(at Place, what, word string, words []string) {
	summary, hint := fmt.Sprintf("Unknown %s %q", what, word), b.language.DidYouMean(word, words)
	if remedy := b.language.Words[word]; remedy != "" && hint == "" {
		b.Mistake(at, summary, "%s", remedy)
		return
	}
	b.Mistake(at, summary, "%sIt can be %s.", hint, conjunction(words, "or"))
}

// ParseAddress reads an IP address.
func (b *Body) ParseAddress(s string, at Place) (netip.Addr, bool) {
	addr, err := netip.ParseAddr(s)
	switch {
	case err == nil && addr.Zone() == "" && !addr.Is4In6():
		return addr, true
	case err == nil && addr.Is4In6():
		b.Mistake(at, "Invalid address", "Write it as the IPv4 address %s.", addr.Unmap())
	case err == nil:
		b.Mistake(at, "Invalid address", "%q has a zone: write the address without %q.", s, "%"+addr.Zone())
	case strings.Contains(s, "/"):
		b.Mistake(at, "Invalid address", "%q is a network: write the address alone, without its prefix length.", s)
	default:
		if ap, e := netip.ParseAddrPort(s); e == nil {
			b.Mistake(at, "Invalid address", "The port has an argument of its own: write address = \"%s\" and port = %d.", ap.Addr(), ap.Port())
			break
		}
		b.Mistake(at, "Invalid address", "%q is not an IP address such as 10.13.0.200 or 2001:db8::1. Host names are never looked up: a director must start without DNS.", s)
	}
	return netip.Addr{}, false
}

// ParsePrefix reads an address with its prefix length: "10.13.0.200/24". An
// address alone is a host's: /32 or /128.
func (b *Body) ParsePrefix(s string, at Place) (netip.Prefix, bool) {
	host, bits, found := strings.Cut(s, "/")
	addr, ok := b.ParseAddress(host, at)
	if !ok {
		return netip.Prefix{}, false
	}
	if !found {
		return netip.PrefixFrom(addr, addr.BitLen()), true
	}
	n, err := strconv.Atoi(bits)
	if err != nil || n < 1 || n > addr.BitLen() || strconv.Itoa(n) != bits {
		b.Mistake(at, "Invalid prefix length", "In %q, the number after the slash must be from 1 to %d.", s, addr.BitLen())
		return netip.Prefix{}, false
	}
	return netip.PrefixFrom(addr, n), true
}

// An Item is one text of a list, and its place.
type Item struct {
	Text string
	At   Place
}

// items reads a list of texts, nil where that is a mistake. Where the list is
// written out, every item has its own place.
func (b *Body) items(a *hclsyntax.Attribute) (items []Item, ok bool) {
	if exprs, diags := hcl.ExprList(a.Expr); !diags.HasErrors() {
		items = []Item{}
		for _, e := range exprs {
			if v, good := b.evaluate(e, "an item of "+a.Name, cty.String); good {
				items = append(items, Item{v.AsString(), placeOf(e.Range())})
				continue
			}
			b.refusals[at(a)] = true
			if !b.refusals[placeOf(e.Range())] {
				b.Mistake(placeOf(e.Range()), "Missing item", "This item of %s is null: remove it.", a.Name)
			}
		}
		return items, true
	}
	v, ok := b.evaluate(a.Expr, a.Name, cty.List(cty.String))
	if !ok {
		return nil, false
	}
	items = []Item{}
	for _, e := range v.AsValueSlice() {
		if e.IsNull() {
			b.Mistake(at(a), "Missing item", "One of the items of %s is null: leave it out, for example with compact.", a.Name)
			return nil, false
		}
		items = append(items, Item{e.AsString(), at(a)})
	}
	return items, true
}

// pairs reads a map of texts, without those that are null.
func (b *Body) pairs(a *hclsyntax.Attribute) (pairs map[string]string, ok bool) {
	v, ok := b.evaluate(a.Expr, a.Name, cty.Map(cty.String))
	if !ok {
		return nil, false
	}
	pairs = map[string]string{}
	for name, value := range v.AsValueMap() {
		if !value.IsNull() {
			pairs[name] = value.AsString()
		}
	}
	return pairs, true
}

// duration reads a duration between lo and hi: a number with a unit.
func (b *Body) duration(a *hclsyntax.Attribute, lo, hi time.Duration) (time.Duration, bool) {
	s, ok := b.text(a)
	if !ok {
		return 0, false
	}
	t, err := time.ParseDuration(s)
	if _, bare := strconv.ParseFloat(s, 64); bare == nil {
		b.Mistake(at(a), "Missing unit", "%s is a duration with a unit: write \"%ss\" for seconds or \"%sms\" for milliseconds.", a.Name, s, s)
		return 0, false
	}
	switch {
	case err != nil:
		b.Mistake(at(a), "Invalid duration", "%q is not a duration: write a number and a unit, such as \"2s\", \"250ms\" or \"5m\".", s)
	case t < lo || t > hi:
		b.Mistake(at(a), "Invalid "+a.Name, "%s must be from %s to %s, but this is %s.", a.Name, Short(lo), Short(hi), Short(t))
	default:
		return t, true
	}
	return 0, false
}

// Short prints a duration without the units that are zero: "1h", not "1h0m0s".
func Short(t time.Duration) string {
	s := t.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// number reads a whole number between lo and hi.
func (b *Body) number(a *hclsyntax.Attribute, lo, hi int64) (int64, bool) {
	v, ok := b.evaluate(a.Expr, a.Name, cty.Number)
	if !ok {
		return 0, false
	}
	n, accuracy := v.AsBigFloat().Int64()
	if accuracy != big.Exact || n < lo || n > hi {
		b.Mistake(at(a), "Invalid "+a.Name, "%s must be a whole number from %d to %d, but this is %s.", a.Name, lo, hi, v.AsBigFloat().Text('g', 15))
		return 0, false
	}
	return n, true
}
