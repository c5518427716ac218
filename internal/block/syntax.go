package block

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// parse parses one top-level item. Where its syntax is broken, only that is
// reported: what the parser made of the rest is guesswork.
func (d *decoder) parse(f *source, c chunk) (*hclsyntax.Body, bool) {
	if c.excess != "" {
		d.Mistake(f.head(c), "Block too complex", "This item %s to be read safely.", c.excess)
		return nil, false
	}
	text := f.text[c.start:c.end]
	if !utf8.Valid(text) {
		d.Mistake(f.head(c), "Not UTF-8", "This item contains bytes that are not valid UTF-8: save the file in that encoding.")
		return nil, false
	}
	tree, diags := parseItem(text, f.name, c.pos())
	if diags.HasErrors() {
		d.explain(d.hints(f, c, diags))
		return nil, false
	}
	return tree, true
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
			diag.Detail = "The closing quote is missing on this line. Text of several lines is written as <<EOT, the lines, and EOT on a line of its own."
			return diags[i : i+1]
		case "Unclosed configuration block":
			if line := d.nextBlock(f, c); line > 0 {
				diag.Detail = fmt.Sprintf("This block has no closing brace. A block that belongs beside it begins at line %d: write the missing } before that line.", line)
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

// The forms of lines that are wrong and whose meaning is clear.
var (
	// bare is an IP address without its quotes: a value, the first item of a
	// list, a label, or alone on its line.
	bare = regexp.MustCompile(`^[ \t]*(?:\w+[ \t]*[ \t=][ \t]*\[?[ \t]*)?((?:\d+\.\d+\.\d+[\d.]*|[0-9a-fA-F]*:[0-9a-fA-F]*:[0-9a-fA-F:]*)(?:/\d+)?)`)
	// unassigned is a word and a value, and nothing between them.
	unassigned = regexp.MustCompile(`^[ \t]*(\w+)[ \t]+([^"={}#\s]+)[ \t]*(?:#|$)`)
	// plain is a value that needs no quotes.
	plain = regexp.MustCompile(`^(?:\d+|true|false|null)$|[\[\](]`)
)

// translate explains a mistake in a line's syntax by what the line was meant
// to be: a word of another program's, an argument without its sign, an address
// without quotes. It reports whether it could.
func (d *decoder) translate(f *source, diag *hcl.Diagnostic) bool {
	if diag.Subject == nil {
		return false
	}
	line := f.lineAround(diag.Subject.Start.Byte)
	word := string(firstWord(bytes.TrimLeft(line, " \t")))
	if remedy, foreign := d.language.Words[word]; foreign {
		diag.Summary, diag.Detail = fmt.Sprintf("Unknown word %q", word), d.language.Foreign+remedy
		return true
	}
	if m := unassigned.FindSubmatch(line); m != nil && len(d.language.owners(word)) > 0 {
		value := string(m[2])
		if !plain.MatchString(value) {
			value = strconv.Quote(value)
		}
		diag.Summary, diag.Detail = "Missing equals sign", fmt.Sprintf("An argument needs one: write %s = %s.", word, value)
		return true
	}
	m := bare.FindSubmatch(line)
	if m == nil || bytes.Contains(line, []byte(`"`)) {
		return false
	}
	diag.Summary, diag.Detail = "Address without quotes", fmt.Sprintf("Write it in quotes: \"%s\".", m[1])
	if word == "" || bytes.HasPrefix(m[1], []byte(word)) {
		diag.Detail = fmt.Sprintf("An address is the value of an argument, in quotes; for example: addresses = [\"%s\"]", m[1])
	}
	return true
}

// lineAround returns the line around a byte of a file, as much of it as is shown.
func (f *source) lineAround(i int) []byte {
	i = min(max(i, 0), len(f.text))
	from := max(0, i-maxQuoted)
	start := from + bytes.LastIndexByte(f.text[from:i], '\n') + 1
	line, _, _ := bytes.Cut(f.text[start:min(len(f.text), i+maxQuoted)], []byte("\n"))
	return line
}
