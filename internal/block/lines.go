package block

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"

	"github.com/hashicorp/hcl/v2"
)

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
