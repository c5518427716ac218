package heartbeat

import (
	"fmt"
	"path"
	"strings"

	"github.com/lvsd/lvsd/internal/importer"
	"github.com/lvsd/lvsd/internal/text"
)

// The bounds of what is read.
const (
	maxBytes = 1 << 20 // of a file
	maxNodes = 64
	maxPings = 64
	maxMoves = 4096 // in haresources, of addresses and scripts
)

// A File is one of Heartbeat's files.
type File struct {
	Name string
	Text []byte
	// Shared: others than its owner may read it, or write.
	Shared bool
}

// A Kind is which of Heartbeat's files one is.
type Kind int

// The kinds of files.
const (
	HACF Kind = iota
	HAResources
	AuthKeys
	LDirectord // a file of ldirectord, which haresources starts
)

// assignment is a line of ldirectord.cf.
var assignment = text.Pattern(`^[a-z0-9-]+[ \t]*=`)

// KindOf tells which file one is, by its name, or else by the first line that says it.
func KindOf(f File) Kind {
	if kind, known := map[string]Kind{"ha.cf": HACF, "haresources": HAResources, "authkeys": AuthKeys, "ldirectord.cf": LDirectord}[path.Base(f.Name)]; known {
		return kind
	}
	for _, l := range lines(f, HACF) {
		switch {
		case l.words[0] == "auth":
			return AuthKeys
		case assignment().MatchString(l.text):
			return LDirectord
		case isWord(l.words[0]):
			return HACF
		default:
			return HAResources
		}
	}
	return HACF
}

// A line is one that has words.
type line struct {
	importer.Place
	words []string
	text  string           // all of it, to be shown
	more  []importer.Place // the lines on which it goes on
	notes []string         // the comments right above it, and at its end
}

// arg is a word of a line; "" if it has not so many.
func (l *line) arg(i int) string {
	if i < len(l.words) {
		return l.words[i]
	}
	return ""
}

// places are those of lines, but for those that are nil.
func places(list ...*line) (all []importer.Place) {
	for _, l := range list {
		if l != nil {
			all = append(append(all, l.Place), l.more...)
		}
	}
	return all
}

// refuse is the error of a line that Heartbeat refuses as well.
func refuse(at importer.Place, format string, arguments ...any) error {
	return fmt.Errorf("%s:%d: "+format, append([]any{at.File, at.Line}, arguments...)...)
}

// bounded is text of a file as an error or a loss shows it.
func bounded(s string) string { return strings.ToValidUTF8(s[:min(len(s), 200)], "�") }

// lines returns the lines of a file that have words. In authkeys, a comment has a line of its
// own; in haresources, a line that ends with a backslash goes on, without a space.
func lines(f File, kind Kind) (all []*line) {
	var above []string
	source := strings.Split(string(f.Text), "\n")
	for i := 0; i < len(source); i++ {
		at := importer.Place{File: f.Name, Line: i + 1}
		text, comment := cut(source[i], kind)
		var more []importer.Place
		for kind == HAResources && strings.HasSuffix(text, `\`) {
			text = strings.TrimSuffix(text, `\`)
			if i++; i == len(source) {
				break
			}
			next, its := cut(source[i], kind)
			text, comment = text+next, append(comment, its...)
			more = append(more, importer.Place{File: f.Name, Line: i + 1})
		}
		switch words := strings.Fields(text); {
		case len(words) > 0:
			all = append(all, &line{Place: at, words: words, text: bounded(strings.Join(words, " ")), more: more, notes: append(above, comment...)})
			above = nil
		case len(comment) > 0:
			above = append(above, comment...)
		case strings.TrimSpace(source[min(i, len(source)-1)]) == "":
			above = nil
		}
	}
	return all
}

// cut takes the comment off a line. What it says is nothing if it is a line that is switched
// off, or a row of signs.
func cut(raw string, kind Kind) (text string, comment []string) {
	raw = strings.TrimSuffix(raw, "\r")
	sign := strings.IndexByte(raw, '#')
	if sign < 0 || kind == AuthKeys && strings.TrimSpace(raw[:sign]) != "" {
		return raw, nil
	}
	said := strings.TrimSpace(strings.TrimLeft(raw[sign:], "# \t"))
	if kind == AuthKeys || strings.Trim(said, "#-=*_+~ \t") == "" || isSwitchedOff(said) {
		return raw[:sign], nil
	}
	return raw[:sign], []string{bounded(said)}
}

// isSwitchedOff reports whether a comment is a line of ha.cf or haresources.
func isSwitchedOff(comment string) bool {
	words := strings.Fields(comment)
	return isWord(words[0]) || strings.Contains(comment, "::") || len(words) > 1 && isAddress(words[1])
}
