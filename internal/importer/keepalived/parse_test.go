package keepalived

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// disk is files in memory.
type disk map[string]string

func (d disk) Open(name string) ([]byte, error) {
	text, ok := d[name]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return []byte(text), nil
}

func (d disk) Glob(pattern string) (out []string, err error) {
	for name := range d {
		ok, err := path.Match(pattern, name)
		if err != nil {
			return nil, err
		}
		if ok {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out, nil
}

// outline writes statements as a line: words separated by a dot, blocks in braces.
func outline(list []*Statement) string {
	var all []string
	for _, s := range list {
		text := strings.Join(s.Words, "·")
		if s.HasBlock {
			text += "{" + outline(s.Block) + "}"
		}
		all = append(all, text)
	}
	return strings.Join(all, " ")
}

func parse(t *testing.T, d disk, o Options) (string, []string) {
	t.Helper()
	list, losses, err := Parse(d, "k.conf", o)
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, l := range losses {
		told = append(told, fmt.Sprintf("%s:%d: %s", l.File, l.Line, l.Text))
	}
	return outline(list), told
}

func TestStatementsAreReadAsByKeepalived(t *testing.T) {
	for name, tt := range map[string]struct {
		text, want string
		losses     []string
	}{
		"both signs begin a comment anywhere":                 {text: "a b#c\n! d\n#e\nf!g\n", want: "a·b f"},
		"a sign in double quotes is none":                     {text: `a "b#c!" d # e`, want: "a·b#c!·d"},
		"a sign after a backslash is a character":             {text: `a b\#c d\!e`, want: "a·b#c·d!e"},
		"double quotes hold a word together, and end another": {text: `a "b c"d" "'e f'`, want: "a·b c·d· ·'e·f'"},
		"a brace at the end of the line":                      {text: "a b {\nc\n}\nd", want: "a·b{c} d"},
		"a brace on the next line, or later":                  {text: "a\n# x\n\n{\nb {\n}\n}", want: "a{b{}}"},
		"all on one line":                                     {text: "a { b 1 } c { d { e } } f", want: "a{b·1} c{d{e}} f"},
		"braces end words":                                    {text: "a{b}c", want: "a{b} c"},
		"a brace in double quotes is a character":             {text: `a "{" "b}c"`, want: "a·{·b}c"},
		"carriage returns":                                    {text: "a {\r\n b\r\n}\r\n", want: "a{b}"},
		"no newline at the end":                               {text: "a {\nb }", want: "a{b}"},
		"a brace too many at the end":                         {text: "a { b } }\nc", want: "a{b} c", losses: []string{"k.conf:1: }"}},
		"a brace too many at the beginning":                   {text: "a { b { { c } } d }", want: "a{b{c}} d", losses: []string{"k.conf:1: {", "k.conf:1: }"}},
		"a brace that is missing":                             {text: "x\na {\nb {\n c\n}\n", want: "x a{b{c}}", losses: []string{"k.conf:2: a"}},
		"a quotation that does not end":                       {text: "a b \"c d\ne", want: "a·b e", losses: []string{`k.conf:1: a b "c d`}},
		"nothing":                                             {},
		"an empty word":                                       {text: `a ""`, want: "a·"},
	} {
		t.Run(name, func(t *testing.T) {
			got, losses := parse(t, disk{"k.conf": tt.text}, Options{})
			if got != tt.want {
				t.Errorf("read %q, want %q", got, tt.want)
			}
			if d := cmp.Diff(tt.losses, losses); d != "" {
				t.Errorf("losses (-want +got):\n%s", d)
			}
		})
	}
}

func TestCommentsStayWithTheirStatements(t *testing.T) {
	list, _, err := Parse(disk{"k.conf": `
# The outside.
#
! ############
vrrp_instance VI_1 { # first
    priority 100   # as lvs1
    # 10.0.0.1
} # VI_1
`}, "k.conf", Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"The outside.", "first", "10.0.0.1", "VI_1"}
	if d := cmp.Diff(want, list[0].Comment); d != "" {
		t.Errorf("the block's (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]string{"as lvs1"}, list[0].Block[0].Comment); d != "" {
		t.Errorf("the line's (-want +got):\n%s", d)
	}
}

func TestACommandIsReadTwice(t *testing.T) {
	for text, want := range map[string]string{
		`script "/bin/echo 'a b' c\x41\040d end" root`:       "/bin/echo·a b·cA·d·end|root",
		`notify /bin/echo root adm`:                          "/bin/echo|root·adm",
		`notify "/bin/x ' spaces\\x20f\x69le ' '\"s p\"' m"`: `/bin/x· spaces file ·"s p"·m|`,
		`notify '/bin/x "a b"'`:                              "/bin/x·a b|",
		`notify "/bin/x \cA\E\n"`:                            "/bin/x·\x01\x1b|",
		`notify "/bin/x \x41 \\x41 '\"s p\"' \"b c\""`:       `/bin/x·A·A·"s p"·b c|`, // as 2.2.7 dumps it
	} {
		list, _, err := Parse(disk{"k.conf": text}, "k.conf", Options{})
		if err != nil {
			t.Fatal(err)
		}
		run, rest, err := list[0].Command()
		if got := strings.Join(run, "·") + "|" + strings.Join(rest, "·"); err != nil || got != want {
			t.Errorf("%s: %q, %v, want %q", text, got, err, want)
		}
	}
	for _, text := range []string{`a "b`, `a b\`, `a "'b"`} {
		s := &Statement{Words: []string{"a"}, Raw: text}
		if _, _, err := s.Command(); err == nil {
			t.Errorf("%s is a command", text)
		}
	}
}

func TestAMissingFileIsAnError(t *testing.T) {
	if _, _, err := Parse(disk{}, "k.conf", Options{}); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}
