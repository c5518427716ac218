package block

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/lvsd/lvsd/internal/text"
)

// The forms of lines that are wrong and whose meaning is clear.
var (
	// bare is an IP address without its quotes: a value, the first item of a
	// list, a label, or alone on its line.
	bare = text.Pattern(`^[ \t]*(?:\w+[ \t]*[ \t=][ \t]*\[?[ \t]*)?((?:\d+\.\d+\.\d+[\d.]*|[0-9a-fA-F]*:[0-9a-fA-F]*:[0-9a-fA-F:]*)(?:/\d+)?)`)
	// unassigned is a word and a value, and nothing between them.
	unassigned = text.Pattern(`^[ \t]*(\w+)[ \t]+([^"={}#\s]+)[ \t]*(?:#|$)`)
	// plain is a value that needs no quotes.
	plain = text.Pattern(`^(?:\d+|true|false|null)$|[\[\](]`)
)

// forms are the others, each with what is told: the first group is $1 of the
// detail, in quotes there, since it may be a part of a secret.
var forms = []struct {
	line            func() *regexp.Regexp
	summary, detail string
}{
	{text.Pattern(`^(?:<<<<<<<|=======|>>>>>>>|\|\|\|\|\|\|\|)(?: |$)`),
		"Merge conflict", "A merge left this line (git): keep one of the two versions, and remove the lines with <<<<<<<, ======= and >>>>>>>."},
	{text.Pattern(`^[ \t]*\}[ \t]*(?:#.*)?$`),
		"Unexpected closing brace", "No block is open here: remove this brace, or look above for a block that ends too early."},
	{text.Pattern(`^[^"]*[=\[,][ \t]*\$\{?(\w+)\}?`),
		"Shell variable", "An environment variable is written `env.$1`, without a dollar sign; in quotes, \"${env.$1}\"."},
	{text.Pattern(`=[ \t]*(\d+(?:\.\d+)?(?:ns|us|ms|[smhd]))[ \t]*(?:#|//|$)`),
		"Missing quotes", "A duration is text: write \"$1\"."},
	{text.Pattern(`=[ \t]*(0[xX][0-9a-fA-F]+)\b`),
		"Invalid number", "\"$1\" is hexadecimal: write the number in decimal."},
	{text.Pattern(`=[ \t]*(\d+[\pL_][\pL\d_]*)[ \t]*(?:#|//|$)`),
		"Invalid number", "\"$1\" has a letter in it: correct the number, or put text in quotes."},
	{text.Pattern(`^[ \t]*([\pL_][\w-]*)[ \t]*=[ \t]*(?:#|//|$)`),
		"Missing value", "Write a value after the equals sign: `$1 = …`"},
	{text.Pattern(`^[ \t]*([\pL_][\w-]*(?:[ \t]+"[^"]*")+)[ \t]*(?:#|//|$)`),
		"Missing brace", "A block needs braces, even if it is empty: write `$1 {}`, or `$1 {` here and `}` on a line of its own."},
	{text.Pattern(`^[ \t]*([\pL_][\w-]*)[ \t]*:(?:[ \t]|$)`),
		"Colon instead of an equals sign", "Write `$1 =` and the value."},
	{text.Pattern(`^[ \t]*([\pL_][\w-]*)[ \t]*(?:#|//|$)`),
		"Incomplete line", "An argument needs a value, `$1 = …`, and a block needs braces, `$1 { … }`."},
	{text.Pattern(`;[ \t]*(?:#|//|$)`),
		"Semicolon", "A line needs no semicolon at its end: remove it."},
	{text.Pattern(`^[ \t]*([\pL_][\w-]*)[ \t]*(?:==|=>|:=|\+=|->)`),
		"Wrong sign", "An argument has one equals sign: write `$1 =` and the value."},
	{text.Pattern(`=[ \t]*if\b`),
		"Invalid condition", "Write the condition before a question mark, and then both results; for example: node.name == \"lvs1\" ? 150 : 100"},
	{text.Pattern(`^[ \t]*\{[ \t]*(?:#|//|$)`),
		"Brace on a line of its own", "The opening brace of a block is on the line of its name: move it there."},
}

// translate explains a mistake in a line's syntax by what the line was meant to
// be. It reports whether it could.
func (d *decoder) translate(f *source, diag *hcl.Diagnostic) bool {
	if diag.Subject == nil || diag.Summary == unclosedBlock {
		return false
	}
	line := f.lineAround(diag.Subject.Start.Byte)
	word := string(firstWord(bytes.TrimLeft(line, " \t")))
	if remedy, foreign := d.language.Words[word]; foreign {
		diag.Summary, diag.Detail = fmt.Sprintf("Unknown word %q", word), remedy
		return true
	}
	return d.assign(diag, line, word) || translateAddress(diag, line, word) || translateForm(diag, line)
}

// assign explains a line with an argument of this language and no equals sign.
func (d *decoder) assign(diag *hcl.Diagnostic, line []byte, word string) bool {
	m := unassigned().FindSubmatch(line)
	if m == nil || len(d.language.owners(word)) == 0 {
		return false
	}
	value := string(m[2])
	if !plain().MatchString(value) {
		value = strconv.Quote(value)
	}
	diag.Summary, diag.Detail = "Missing equals sign", fmt.Sprintf("An argument needs one: write %s = %s.", word, value)
	return true
}

// translateAddress explains a line with an address that has no quotes.
func translateAddress(diag *hcl.Diagnostic, line []byte, word string) bool {
	m := bare().FindSubmatch(line)
	if m == nil || bytes.Contains(line, []byte(`"`)) {
		return false
	}
	diag.Summary, diag.Detail = "Address without quotes", fmt.Sprintf("Write it in quotes: \"%s\".", m[1])
	if word == "" || bytes.HasPrefix(m[1], []byte(word)) {
		diag.Detail = fmt.Sprintf("An address is the value of an argument, in quotes; for example: addresses = [\"%s\"]", m[1])
	}
	return true
}

// translateForm explains a line by its form.
func translateForm(diag *hcl.Diagnostic, line []byte) bool {
	if brace := bytes.Trim(line, " \t\r"); len(brace) == 1 && diag.Summary != "Argument or block definition required" {
		return false // the mistake is in what is open before it
	}
	for _, form := range forms {
		m := form.line().FindSubmatch(line)
		if m == nil {
			continue
		}
		word := ""
		if len(m) > 1 {
			word = string(m[1])
		}
		diag.Summary, diag.Detail = form.summary, strings.ReplaceAll(form.detail, "$1", word)
		return true
	}
	return false
}

// lineAround returns the line around a byte of a file, as much of it as is shown.
func (f *source) lineAround(i int) []byte {
	i = min(max(i, 0), len(f.text))
	from := max(0, i-maxQuoted)
	start := from + bytes.LastIndexByte(f.text[from:i], '\n') + 1
	line, _, _ := bytes.Cut(f.text[start:min(len(f.text), i+maxQuoted)], []byte("\n"))
	return line
}
