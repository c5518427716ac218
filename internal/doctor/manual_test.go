package doctor

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/lvsd/lvsd/internal/golden"
)

// The manual has a row for each examination.
func TestManualHasEachExamination(t *testing.T) {
	const path, end = "../../packaging/lvsd-doctor.8", ".\\\" END\n"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(text), "-update).\n")
	_, after, ended := strings.Cut(rest, end)
	if !found || !ended {
		t.Fatalf("%s has no place for the examinations", path)
	}
	var b strings.Builder
	b.WriteString(before + "-update).\n")
	family := ""
	for i := range Examinations {
		e := &Examinations[i]
		if e.Family != family {
			if i > 0 {
				b.WriteString(".El\n")
			}
			family = e.Family
			fmt.Fprintf(&b, ".Ss %s\n.Bl -tag -width Ds\n", capital(family))
		}
		fmt.Fprintf(&b, ".It Cm %s\n%s%s%s", e.Code, lines(capital(e.Title)+e.where()), lines(e.Breaks), lines(e.Mend))
	}
	golden.Check(t, path, b.String()+".El\n"+end+after)
}

// where says for which machines an examination is.
func (e *Examination) where() string {
	switch {
	case e.director && e.realServer:
		return " (director and real server)."
	case e.realServer:
		return " (real server)."
	}
	return " (director)."
}

func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// lines begins each sentence on a line of its own, as manuals do, and each of our flags, of
// lines that are not too long.
func lines(s string) string {
	var b strings.Builder
	for sentence := range strings.SplitSeq(s, ". ") {
		room := 78
		if rest, isFlag := strings.CutPrefix(sentence, "--fix "); isFlag {
			b.WriteString(".Fl -fix\n")
			sentence = rest
		}
		for i, word := range strings.Fields(sentence) {
			switch {
			case i == 0:
			case len(word)+1 > room:
				b.WriteByte('\n')
				room = 78
			default:
				b.WriteByte(' ')
				room--
			}
			b.WriteString(word)
			room -= len(word)
		}
		if !strings.HasSuffix(sentence, ".") {
			b.WriteByte('.')
		}
		b.WriteByte('\n')
	}
	return b.String()
}
