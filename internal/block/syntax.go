package block

import (
	"bytes"
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// parse parses one top-level item. A line whose syntax is broken is reported and
// taken out, so that it does not hide the mistakes in the others. Where the
// structure of the item is broken, only that is reported: what the parser made of
// the rest is guesswork.
func (d *decoder) parse(f *source, c chunk) (*hclsyntax.Body, bool) {
	if c.excess != "" {
		d.Mistake(f.head(c), "Block too complex", "This block %s to be read safely: divide it, or write it in a simpler way.", c.excess)
		return nil, false
	}
	text := f.text[c.start:c.end]
	if !utf8.Valid(text) {
		d.Mistake(f.head(c), "Not UTF-8", "This block contains bytes that are not valid UTF-8: save the file in that encoding.")
		return nil, false
	}
	if c.unclosed != nil {
		d.Mistake(f.stretch(c.unclosed.start, c.unclosed.end), c.unclosed.summary(), "%s", c.unclosed.detail())
		return nil, false
	}
	for repairs := 0; ; repairs++ {
		tree, diags := parseItem(text, f.name, c.pos())
		broken := slices.DeleteFunc(slices.Clone(diags), isRepetition)
		if !broken.HasErrors() {
			d.explain(diags)
			return tree, true
		}
		repaired, ok := repair(text, c, broken[0])
		if !ok || repairs == maxRepairs {
			d.explain(d.hints(f, c, diags))
			return nil, false
		}
		d.explain(d.hints(f, c, broken[:1]))
		d.repaired()
		text = repaired
	}
}

// isRepetition reports whether a diagnostic is about an argument that is given
// twice. The parser's tree has the first of them, and all else.
func isRepetition(diag *hcl.Diagnostic) bool { return diag.Summary == "Attribute redefined" }

func (o *opening) summary() string {
	if o.marker == nil {
		return "Unclosed comment"
	}
	return "Unclosed text"
}

func (o *opening) detail() string {
	if o.marker == nil {
		return "This comment has no end, so the rest of the file would be ignored: write */ where it ends."
	}
	return fmt.Sprintf("The text that begins here has no end: write %s on a line of its own after it.", o.marker)
}

// hints puts the parser's diagnostics into words that help: where a brace may
// be missing, and nothing of what follows from a quote that is.
func (d *decoder) hints(f *source, c chunk, diags hcl.Diagnostics) hcl.Diagnostics {
	for i, diag := range diags {
		if i >= MaxMistakes {
			break
		}
		if d.translate(f, diag) {
			continue
		}
		switch diag.Summary {
		case "Invalid multi-line string":
			diag.Summary = "Missing quote"
			diag.Detail = "The closing quote is missing on this line. Text of several lines is written as <<EOT, the lines, and EOT on a line of its own."
			return diags[i : i+1]
		case unclosedBlock:
			diag.Summary, diag.Detail = "Unclosed block", "This block has no closing brace: write } after its last line."
			if line := d.nextBlock(f, c); line > 0 {
				diag.Detail = fmt.Sprintf("This block has no closing brace, and the next one begins on line %d: write the missing } before that line.", line)
			}
		}
	}
	return diags
}

// nextBlock returns the line on which, inside an item, a top-level block seems
// to begin, or 0.
func (d *decoder) nextBlock(f *source, c chunk) int {
	text := f.text[c.start:c.end]
	for _, o := range d.language.Top.Options {
		if i := bytes.Index(text, []byte("\n"+o.Name+" ")); i >= 0 {
			return c.line + 1 + bytes.Count(text[:i], []byte("\n"))
		}
	}
	return 0
}
