package config

import (
	"fmt"
	"math/big"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// maxName is how long the name of a block may be, in bytes.
const maxName = 200

// The methods below turn an argument into a typed value. Each reports what is
// wrong with it and then returns its default, so that the caller goes on and
// finds the other mistakes. ok is false where there is no value to judge: the
// argument is absent, null, or a mistake that was reported.

// mistake reports an error at a place.
func (d *decoder) mistake(at hcl.Range, summary, detail string, args ...any) {
	d.refusals[at] = true
	d.report(mistake(at, summary, detail, args...))
}

// refused says whether the value of an argument was a mistake, so that what
// depends on it can't be judged.
func (d *decoder) refused(a *hcl.Attribute) bool {
	return a != nil && d.refusals[a.Expr.Range()]
}

// doubt reports a warning at a place.
func (d *decoder) doubt(at hcl.Range, summary, detail string, args ...any) {
	d.report(doubt(at, summary, detail, args...))
}

// checkName checks the name of a block, which appears in logs and metrics.
func (d *decoder) checkName(name string, at hcl.Range) {
	switch {
	case name == "":
		d.mistake(at, "Empty name", "Write a name between the quotes.")
	case len(name) > maxName || strings.ContainsFunc(name, unicode.IsControl):
		d.mistake(at, "Invalid name", "A name has at most %d bytes and no control characters.", maxName)
	}
}

// place returns where an argument's value stands, or the block where the
// argument is absent.
func place(a *hcl.Attribute, block hcl.Range) hcl.Range {
	if a == nil {
		return block
	}
	return a.Expr.Range()
}

// require reports an argument that is absent or null. example is what could
// be written.
func (d *decoder) require(a *hcl.Attribute, block hcl.Range, name, example string) {
	if a != nil {
		if v, diags := a.Expr.Value(d.ctx); diags.HasErrors() || !v.IsNull() {
			return
		}
	}
	d.mistake(place(a, block), "Missing "+name, "This block needs it; for example: %s", example)
}

// evaluate computes an expression and converts it to a type.
func (d *decoder) evaluate(e hcl.Expression, name string, want cty.Type) (cty.Value, bool) {
	v, diags := e.Value(d.ctx)
	if diags.HasErrors() {
		d.refusals[e.Range()] = true
		d.report(diags...)
		return cty.NilVal, false
	}
	if !v.IsWhollyKnown() {
		if !d.broken && d.mistakes == 0 { // else it follows from one of those
			d.mistake(e.Range(), "Unknown value", "The value of %s can't be computed: write it in a simpler way.", name)
		}
		d.refusals[e.Range()] = true
	}
	if !v.IsWhollyKnown() || v.IsNull() {
		return cty.NilVal, false
	}
	out, err := convert.Convert(v, want)
	if err != nil || out.IsNull() {
		d.mistake(e.Range(), "Wrong type for "+name, "It must be %s, and this is %s.", typeName(want), given(v))
		return cty.NilVal, false
	}
	return out, true
}

// typeName says what a type is in the words of the examples.
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

// given says what a value is that has the wrong type.
func given(v cty.Value) string {
	if v.Type() == cty.String && len(v.AsString()) < 40 {
		return fmt.Sprintf("the text %q", v.AsString())
	}
	return typeName(v.Type())
}

func (d *decoder) text(a *hcl.Attribute) (string, bool) {
	if a == nil {
		return "", false
	}
	v, ok := d.evaluate(a.Expr, a.Name, cty.String)
	if !ok {
		return "", false
	}
	return v.AsString(), true
}

func (d *decoder) flag(a *hcl.Attribute, def bool) bool {
	if a == nil {
		return def
	}
	v, ok := d.evaluate(a.Expr, a.Name, cty.Bool)
	if !ok {
		return def
	}
	return v.True()
}

// number reads a whole number between lo and hi.
func (d *decoder) number(a *hcl.Attribute, lo, hi int64) (int64, bool) {
	if a == nil {
		return 0, false
	}
	v, ok := d.evaluate(a.Expr, a.Name, cty.Number)
	if !ok {
		return 0, false
	}
	n, accuracy := v.AsBigFloat().Int64()
	if accuracy != big.Exact || n < lo || n > hi {
		d.mistake(a.Expr.Range(), "Invalid "+a.Name, "%s must be a whole number from %d to %d, and this is %s.", a.Name, lo, hi, v.AsBigFloat().Text('g', 15))
		return 0, false
	}
	return n, true
}

// count is number with a default.
func (d *decoder) count(a *hcl.Attribute, def, lo, hi int64) int64 {
	if n, ok := d.number(a, lo, hi); ok {
		return n
	}
	return def
}

// duration reads a duration between lo and hi: a number with a unit.
func (d *decoder) duration(a *hcl.Attribute, def, lo, hi time.Duration) time.Duration {
	s, ok := d.text(a)
	if !ok {
		return def
	}
	t, err := time.ParseDuration(s)
	if _, bare := strconv.ParseFloat(s, 64); bare == nil {
		d.mistake(a.Expr.Range(), "Missing unit", "%s is a duration with a unit: write \"%ss\" for seconds or \"%sms\" for milliseconds.", a.Name, s, s)
		return def
	}
	switch {
	case err != nil:
		d.mistake(a.Expr.Range(), "Invalid duration", "%q is none: write a number and a unit, such as \"2s\", \"250ms\" or \"5m\".", s)
	case t < lo || t > hi:
		d.mistake(a.Expr.Range(), "Invalid "+a.Name, "%s must be from %s to %s, and this is %s.", a.Name, short(lo), short(hi), short(t))
	default:
		return t
	}
	return def
}

// short prints a duration without the units that are zero: "1h", not "1h0m0s".
func short(t time.Duration) string {
	s := t.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// choice reads one of several words.
func (d *decoder) choice(a *hcl.Attribute, def string, words ...string) string {
	s, ok := d.text(a)
	if !ok {
		return def
	}
	if !slices.Contains(words, s) {
		d.unknown(a.Expr.Range(), a.Name, s, words)
		return def
	}
	return s
}

// unknown reports a word that is none of those it could be.
func (d *decoder) unknown(at hcl.Range, what, word string, words []string) {
	d.mistake(at, fmt.Sprintf("Unknown %s %q", what, word), "%sIt can be %s.", didYouMean(word, words), alternatives(words))
}

// address reads an IP address.
func (d *decoder) address(a *hcl.Attribute) (netip.Addr, bool) {
	s, ok := d.text(a)
	if !ok {
		return netip.Addr{}, false
	}
	return d.parseAddress(s, a.Expr.Range())
}

func (d *decoder) parseAddress(s string, at hcl.Range) (netip.Addr, bool) {
	addr, err := netip.ParseAddr(s)
	switch {
	case err == nil && addr.Zone() == "" && !addr.Is4In6():
		return addr, true
	case err == nil && addr.Is4In6():
		d.mistake(at, "Invalid address", "Write the IPv4 address %s as such.", addr.Unmap())
	case err == nil:
		d.mistake(at, "Invalid address", "%q has a zone: write the address without %%%s.", s, addr.Zone())
	case strings.Contains(s, "/"):
		d.mistake(at, "Invalid address", "%q is a network: write the address alone, without its prefix length.", s)
	default:
		if ap, e := netip.ParseAddrPort(s); e == nil {
			d.mistake(at, "Invalid address", "The port has an argument of its own: write address = \"%s\" and port = %d.", ap.Addr(), ap.Port())
			break
		}
		d.mistake(at, "Invalid address", "%q is no IP address such as 10.13.0.200 or 2001:db8::1. Host names are not looked up: a director must start without DNS.", s)
	}
	return netip.Addr{}, false
}

// parsePrefix reads an address with its prefix length: "10.13.0.200/24". An
// address alone is a host's: /32 or /128.
func (d *decoder) parsePrefix(s string, at hcl.Range) (netip.Prefix, bool) {
	host, bits, found := strings.Cut(s, "/")
	addr, ok := d.parseAddress(host, at)
	if !ok {
		return netip.Prefix{}, false
	}
	if !found {
		return netip.PrefixFrom(addr, addr.BitLen()), true
	}
	n, err := strconv.Atoi(bits)
	if err != nil || n < 1 || n > addr.BitLen() || strconv.Itoa(n) != bits {
		d.mistake(at, "Invalid prefix length", "%q: after the slash stands a number from 1 to %d.", s, addr.BitLen())
		return netip.Prefix{}, false
	}
	return netip.PrefixFrom(addr, n), true
}

// An item is one text of a list, and its place.
type item struct {
	text string
	at   hcl.Range
}

// texts reads a list of strings. Where the list is written out, every item
// has its own place.
func (d *decoder) texts(a *hcl.Attribute) (items []item, ok bool) {
	if a == nil {
		return nil, false
	}
	if exprs, diags := hcl.ExprList(a.Expr); !diags.HasErrors() {
		ok = true
		for _, e := range exprs {
			v, good := d.evaluate(e, "an item of "+a.Name, cty.String)
			if ok = ok && good; good {
				items = append(items, item{v.AsString(), e.Range()})
			} else if v, diags := e.Value(d.ctx); !diags.HasErrors() && v.IsNull() {
				d.mistake(e.Range(), "Missing item", "This item of %s is null: remove it.", a.Name)
			}
		}
		return items, ok
	}
	v, ok := d.evaluate(a.Expr, a.Name, cty.List(cty.String))
	if !ok {
		return nil, false
	}
	for _, e := range v.AsValueSlice() {
		if e.IsNull() {
			d.mistake(a.Expr.Range(), "Missing item", "One of the items of %s is null: leave it out, for example with compact.", a.Name)
			return nil, false
		}
		items = append(items, item{e.AsString(), a.Expr.Range()})
	}
	return items, true
}

// suggestion returns the word that somebody who wrote s probably meant, or
// nothing.
func suggestion(s string, words []string) string {
	if w := foreignValues[strings.ToLower(s)]; slices.Contains(words, w) {
		return w
	}
	best, at := "", len(s)/3+2
	for _, w := range words {
		if n := distance(strings.ToLower(s), w); n < at {
			best, at = w, n
		}
	}
	return best
}

func didYouMean(s string, words []string) string {
	if w := suggestion(s, words); w != "" {
		return fmt.Sprintf("Did you mean %q? ", w)
	}
	return ""
}

// alternatives lists words as in a sentence: `"a", "b" or "c"`.
func alternatives(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = strconv.Quote(w)
	}
	if len(quoted) < 2 {
		return strings.Join(quoted, "")
	}
	last := len(quoted) - 1
	return strings.Join(quoted[:last], ", ") + " or " + quoted[last]
}

// distance is how many letters must be inserted, deleted or replaced to turn
// a into b (Levenshtein). A text far longer than b is not measured exactly.
func distance(a, b string) int {
	if len(a) > 3*len(b)+3 {
		return len(a)
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			substitute := diagonal
			if a[i] != b[j] {
				substitute++
			}
			diagonal = row[j+1]
			row[j+1] = min(substitute, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
