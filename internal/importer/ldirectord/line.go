package ldirectord

import (
	"fmt"
	"strings"

	"github.com/lvsd/lvsd/internal/importer"
	"github.com/lvsd/lvsd/internal/text"
)

// The bounds of what is read.
const (
	maxBytes   = 16 << 20
	maxLines   = 500_000
	maxLine    = 64 << 10 // bytes
	maxServers = 65536    // in a file
)

// A line is one that has a word, a sign and a value.
type line struct {
	importer.Place
	word  string
	value string   // as it is read: without quotes, the digits of a number
	text  string   // all of it, to be shown
	above []string // the comments right above it
	after string   // the comment at its end
}

// assignment is a line with a word.
var assignment = text.Pattern(`^([a-z0-9-]+)[\s]*=\s*(.*)$`)

// split takes a line apart.
func split(at importer.Place, s string) (l *line, ok bool) {
	m := assignment().FindStringSubmatch(s)
	if m == nil {
		return nil, false
	}
	l = &line{Place: at, word: m[1], value: m[2], text: strings.TrimSpace(s)}
	if l.word == "passwd" || l.word == "secret" {
		l.text = l.word + " = …"
	}
	return l, true
}

// refuse is the error of a line that ldirectord refuses as well.
func refuse(at importer.Place, format string, arguments ...any) error {
	return fmt.Errorf("%s:%d: "+format, append([]any{at.File, at.Line}, arguments...)...)
}

// remark is what a comment says; nothing if it is a word that is switched off, or a row of signs.
func remark(comment string) string {
	s := strings.TrimSpace(strings.TrimLeft(comment, "# \t"))
	if strings.Trim(s, "#-=*_+~ \t") == "" || assignment().MatchString(s) {
		return ""
	}
	return strings.ToValidUTF8(s, "�")
}
