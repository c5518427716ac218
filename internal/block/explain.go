package block

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/lvsd/lvsd/internal/text"
)

// explain reports diagnostics of the HCL library, in words of this language
// where those help more.
func (d *decoder) explain(diags hcl.Diagnostics) {
	for _, in := range diags {
		r := Report{Severity: Error, Summary: in.Summary, Detail: in.Detail}
		if in.Severity == hcl.DiagWarning {
			r.Severity = Warning
		}
		if in.Subject != nil {
			r.At = placeOf(*in.Subject)
		}
		switch in.Summary {
		case "Invalid index":
			d.explainIndex(in, &r)
		case "Unsupported attribute":
			d.explainAttribute(in, &r)
		case "Unknown variable":
			d.explainVariable(in, &r)
		case "Call to unknown function":
			d.explainFunction(in, &r)
		case "Attribute redefined":
			if m := redefined().FindStringSubmatch(in.Detail); m != nil {
				r.Summary, r.Detail = "Duplicate argument", fmt.Sprintf("%s is already set on line %s: remove one of them.", m[1], m[2])
			}
		case "Invalid function argument":
			if m := pattern().FindStringSubmatch(in.Detail); m != nil {
				r.Detail = m[1] + strconv.Quote(m[2])
			}
		default:
			rephrase(in, &r)
		}
		d.add(r)
	}
}

// pattern is the end of what the functions say of a regular expression, without
// quotes around it.
var pattern = text.Pattern(`(?s)^(.*invalid regexp pattern: .*? in )(.*)\.$`)

// unclosedBlock is the parser's word for a block without a closing brace.
const unclosedBlock = "Unclosed configuration block"

// redefined is what the parser says of an argument that is given twice.
var redefined = text.Pattern(`argument "([^"]+)" was already set at .*:(\d+),`)

// references is a text that was meant as a variable.
var references = text.Pattern(`^(?:node|env|local)\.[\w.]+$`)

// explainIndex names the key that a map does not have, and those that it has:
// above all a node that a map of nodes forgets.
func (d *decoder) explainIndex(in *hcl.Diagnostic, out *Report) {
	keys, key, at, ok := lookup(in)
	if !ok {
		return
	}
	out.At = placeOf(at)
	index, _ := in.Expression.(*hclsyntax.IndexExpr)
	switch {
	case index != nil && isVariable(index.Key, "node"):
		out.Summary, out.Nodes = fmt.Sprintf("Unknown node %q", key), keys
		out.Detail = fmt.Sprintf("This map has no entry for the node %q, only for %s: add one, or give the director's name with --node.", key, Listed(keys))
	case isVariable(in.Expression, "env") || index != nil && isVariable(index.Collection, "env"):
		out.Summary, out.Detail = unsetVariable(key)
	case references().MatchString(key):
		out.Summary = fmt.Sprintf("Unknown key %q", key)
		out.Detail = fmt.Sprintf("In quotes, this is text, not a variable: write [%s].", excerpt(key, maxValue))
	default:
		out.Summary = fmt.Sprintf("Unknown key %q", key)
		out.Detail = fmt.Sprintf("%sThe map has %s.", d.language.DidYouMean(key, keys), Listed(keys))
	}
}

// lookup returns what a failed look-up was about: the keys of the map, the
// key that is not among them, and where it is written. ok is false where it
// was no look-up of a name in a map.
func lookup(in *hcl.Diagnostic) (keys []string, key string, at hcl.Range, ok bool) {
	var collection, k cty.Value
	switch e := in.Expression.(type) {
	case *hclsyntax.IndexExpr:
		collection, _ = e.Collection.Value(in.EvalContext)
		k, _ = e.Key.Value(in.EvalContext)
		at = e.Key.Range()
	case *hclsyntax.RelativeTraversalExpr:
		collection, _ = e.Source.Value(in.EvalContext)
		k, at = indexKey(e.Traversal)
	case *hclsyntax.ScopeTraversalExpr:
		k, at = indexKey(e.Traversal)
		parent, diags := e.Traversal[:max(1, len(e.Traversal)-1)].TraverseAbs(in.EvalContext)
		if !diags.HasErrors() {
			collection = parent
		}
	}
	if k == cty.NilVal || k.IsNull() || !k.IsKnown() || k.Type() != cty.String {
		return nil, "", at, false
	}
	return keysOf(collection), k.AsString(), at, true
}

// indexKey returns the first key in brackets of a traversal.
func indexKey(t hcl.Traversal) (cty.Value, hcl.Range) {
	for _, step := range t {
		if index, ok := step.(hcl.TraverseIndex); ok {
			return index.Key, index.SrcRange
		}
	}
	return cty.NilVal, hcl.Range{}
}

// isVariable reports whether an expression is a variable, or a part of one.
func isVariable(e hcl.Expression, root string) bool {
	t, ok := e.(*hclsyntax.ScopeTraversalExpr)
	return ok && t.Traversal.RootName() == root
}

// keysOf returns the keys of a map or object, sorted.
func keysOf(v cty.Value) []string {
	if v == cty.NilVal {
		return nil
	}
	v, _ = v.Unmark()
	if v.IsNull() || !v.IsKnown() || !(v.Type().IsMapType() || v.Type().IsObjectType()) {
		return nil
	}
	return slices.Sorted(maps.Keys(v.AsValueMap()))
}

func unsetVariable(name string) (summary, detail string) {
	name = excerpt(name, maxValue)
	return fmt.Sprintf("Environment variable %s is not set", name),
		fmt.Sprintf("Set it for the daemon (Environment=%s=… in its unit), or write try(env.%s, \"default\").", name, name)
}

// explainAttribute names what node, env and local have.
func (d *decoder) explainAttribute(in *hcl.Diagnostic, out *Report) {
	t, ok := in.Expression.(*hclsyntax.ScopeTraversalExpr)
	if !ok || len(t.Traversal) < 2 {
		return
	}
	step, ok := t.Traversal[1].(hcl.TraverseAttr)
	if !ok {
		return
	}
	out.At = placeOf(t.SrcRange)
	switch root := t.Traversal.RootName(); root {
	case "env":
		out.Summary, out.Detail = unsetVariable(step.Name)
	case "local":
		if slices.Contains(d.locals, step.Name) {
			return // the mistake is further inside it
		}
		out.Summary = fmt.Sprintf("Unknown local %q", step.Name)
		out.Detail = fmt.Sprintf("%sThe locals blocks define %s.", d.language.DidYouMean(step.Name, d.locals), Listed(d.locals))
	case "node":
		out.Summary = fmt.Sprintf("Unknown variable node.%s", step.Name)
		out.Detail = "A node has only a name: write node.name."
	}
}

// switches are the words for true and false in other languages.
var switches = map[string]string{"yes": "true", "on": "true", "enabled": "true", "no": "false", "off": "false", "disabled": "false"}

// hostWords are, in lower case, what this director's name is called elsewhere.
var hostWords = []string{"hostname", "host", "nodename", "node_name", "host_name"}

func (d *decoder) explainVariable(in *hcl.Diagnostic, out *Report) {
	t, ok := in.Expression.(*hclsyntax.ScopeTraversalExpr)
	if !ok {
		return
	}
	name := t.Traversal.RootName()
	out.At = placeOf(t.SrcRange)
	out.Summary = fmt.Sprintf("Unknown variable %q", name)
	switch {
	case slices.Contains(d.locals, name):
		out.Detail = fmt.Sprintf("A local is used by its full name: write local.%s.", name)
	case switches[name] != "":
		out.Detail = fmt.Sprintf("Write %s.", switches[name])
	case slices.Contains(hostWords, strings.ToLower(name)):
		out.Detail = "The name of this director is node.name."
	case len(t.Traversal) == 1 && name == strings.ToUpper(name): // as a shell's variables are
		out.Detail = fmt.Sprintf("An environment variable is written env.%s, and text in quotes: \"%s\".", name, name)
	case len(t.Traversal) == 1:
		out.Detail = fmt.Sprintf("Text must be in quotes: write \"%s\". The variables are node.name, env.X and local.X.", name)
	default:
		out.Detail = d.language.DidYouMean(name, []string{"node", "env", "local"}) + "The variables are node.name, env.X and local.X."
	}
}

func (d *decoder) explainFunction(in *hcl.Diagnostic, out *Report) {
	call, ok := in.Expression.(*hclsyntax.FunctionCallExpr)
	if !ok {
		return
	}
	known := FunctionNames()
	out.Summary = fmt.Sprintf("Unknown function %q", call.Name)
	out.Detail = fmt.Sprintf("%sThe functions are %s.", d.language.DidYouMean(call.Name, known), strings.Join(known, ", "))
}
