package block

import (
	"bytes"
	"regexp"

	"github.com/lvsd/lvsd/internal/text"
)

// formats are the beginnings of files in the formats that are taken for this one.
var formats = []struct {
	name  string
	begin func() *regexp.Regexp
}{
	{"JSON", text.Pattern(`^\s*\{\s*(?:"[^"\n]*"\s*:|\})`)},
	{"YAML", text.Pattern(`^(?:[ \t]*(?:#[^\n]*)?\n)*(?:---[ \t]*\n|[\w-]+:(?:[ \t][^\n]*)?(?:\n|$))`)},
}

// legible reports whether a file is text that may be configuration. Of one that
// is not, this is the only mistake: the parser would find one on every line.
func (d *decoder) legible(f *source) bool {
	if utf16(f.text) {
		f.opaque = true
		d.Mistake(f.at(0), "Not UTF-8", "This is UTF-16: save it as UTF-8.")
		return false
	}
	if i := bytes.IndexByte(f.text, 0); i >= 0 {
		f.opaque = true
		d.Mistake(f.at(i), "Not text", "The file has NUL bytes from here on: it is not text, or its end was lost when the machine failed. Write it again.")
		return false
	}
	for _, format := range formats {
		if begin := format.begin().FindIndex(f.text); begin != nil {
			d.Mistake(f.at(begin[0]), "Configuration in "+format.name, "This file is in %s, and lvsd reads HCL: an argument is written name = value, and a block name { … }.", format.name)
			return false
		}
	}
	return true
}

// utf16 reports whether a text is UTF-16, by its mark or by its first letter.
func utf16(text []byte) bool {
	if len(text) < 2 {
		return false
	}
	a, b := text[0], text[1]
	return a == 0xff && b == 0xfe || a == 0xfe && b == 0xff || (a == 0) != (b == 0) && len(text)%2 == 0
}
