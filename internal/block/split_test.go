package block

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

func TestSplit(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"nothing", "", ""},
		{"comments only", "# a {\n// b {\n/* c {\n*/\n", ""},
		{"two blocks", "a {\n}\n\nb {\n}\n", "1:1 a|4 b"},
		{"no newline at the end", "a {}", "1:1 a"},
		{"a comment before a block on its line", "/* x\n{ */ a {\n}\n", "2:6 a"},
		{"letters beyond ASCII before a block", "/* äöü */ a {}\n", "1:11 a"},
		{"a brace in a string", "a {\n  b = \"}\"\n}\nc {}\n", "1:1 a|4 c"},
		{"an escaped quote", "a {\n  b = \"\\\"}\"\n}\nc {}\n", "1:1 a|4 c"},
		{"a brace in a comment", "a {\n  # }\n  // }\n  /* } */\n}\nc {}\n", "1:1 a|6 c"},
		{"an expression in a string", "a {\n  b = \"${ { x = \"}\" }[\"x\"] }\"\n}\nc {}\n", "1:1 a|4 c"},
		{"an escaped expression", "a {\n  b = \"$${ %%{ \"\n}\nc {}\n", "1:1 a|4 c"},
		{"a newline in an expression in a string", "a {\n  b = \"${\n1}\"\n}\nc {}\n", "1:1 a|5 c"},
		{"a heredoc", "a {\n  b = <<E\n } { \"\n E\n}\nc {}\n", "1:1 a|6 c"},
		{"a heredoc's marker after an expression", "a {\n  b = <<E\n${1}E\nE\n}\nc {}\n", "1:1 a|6 c"},
		{"a heredoc in an expression in a heredoc", "a {\n  b = <<E\n${<<F\n}\nF\n}\nE\n}\nc {}\n", "1:1 a|9 c"},
		{"carriage returns", "a {\r\n}\r\nb {\r\n}\r\n", "1:1 a|3 b"},
		{"a list over lines", "a = [\n1,\n2\n]\nb {}\n", "1:1 a|5 b"},
		{"a quote not closed harms its block only", "a {\n  b = \"x\n}\nc {}\n", "1:1 a|4 c"},
		{"a bracket not closed harms its block only", "a {\n  b = [(1\n}\nc {}\n", "1:1 a|4 c"},
		{"a bracket too many", "a {\n  b = 1])\n}\nc {}\n", "1:1 a|4 c"},
		{"less than", "a {\n  b = 1 < 2\n}\nc {}\n", "1:1 a|4 c"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for i, c := range split([]byte(tt.text)) {
				place := fmt.Sprintf("%d:%d", c.line, c.column)
				if i > 0 {
					place = fmt.Sprint(c.line)
				}
				got = append(got, place+" "+c.kind)
			}
			if diff := cmp.Diff(tt.want, strings.Join(got, "|")); diff != "" {
				t.Errorf("items (-want +got):\n%s", diff)
			}
		})
	}
}

// anything is a language without a word.
var anything = &Language{Top: NewTable[struct{}]("the top level of a file", nil).Schema()}

// What would make the parser recurse until the stack is full is refused, and
// what is just not refused it survives.
func TestSplitBoundsTheParser(t *testing.T) {
	for name, unit := range map[string][3]string{
		"parentheses":  {"a = ", "(", ""},
		"braces":       {"", "a {\n", ""},
		"negations":    {"a = ", "!", "true"},
		"sums":         {"a = 1", "+1", ""},
		"comparisons":  {"a = 1", "==1", ""},
		"conditionals": {"a = ", "true?1:", "1"},
		"indexes":      {"a = f()", "[0]", ""},
		"strings":      {"a = ", `"${`, ""},
		"directives":   {`a = "`, `%{if true}`, `"`},
		"heredocs":     {"a = ", "<<E\n${", ""},
		"for":          {"a = ", "[for x in y:", ""},
	} {
		t.Run(name, func(t *testing.T) {
			repeat := func(n int) []byte { return []byte(unit[0] + strings.Repeat(unit[1], n) + unit[2]) }
			excess := func(n int) bool { return split(repeat(n))[0].excess != "" }
			if !excess(maxOperators + 1) {
				t.Fatal("accepted any number")
			}
			most := sort.Search(maxOperators, excess) - 1
			s := Sources{files: []*source{{name: "x.hcl", text: repeat(most)}}}
			mistakes := 0
			for _, r := range Parse(anything, s, Options{}, nil, func(*Body, *struct{}) {}) {
				mistakes += r.Mistakes
			}
			if mistakes == 0 {
				t.Error("no mistake found")
			}
		})
	}
}

func seeds(f *testing.F) {
	for _, pattern := range []string{"../config/testdata/bad/*.hcl", "../config/testdata/good/*.hcl", "../../examples/*.hcl", "../../examples/*/*.hcl"} {
		paths, _ := filepath.Glob(pattern)
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(text)
			f.Add(bytes.ReplaceAll(text, []byte("\n"), []byte("\r\n")))
		}
	}
}

// FuzzSplit: a file that the parser accepts has the same items, at the same
// places, when it is cut and parsed in pieces.
func FuzzSplit(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, text []byte) {
		text = clean(text)
		chunks := split(text)
		for _, c := range chunks {
			if c.excess != "" || c.unclosed != nil {
				return
			}
		}
		whole, diags := hclsyntax.ParseConfig(text, "x.hcl", hcl.InitialPos)
		if diags.HasErrors() || !utf8.Valid(text) || bytes.Contains(text, []byte("\r")) {
			return
		}
		var pieces []string
		for _, c := range chunks {
			file, diags := hclsyntax.ParseConfig(text[c.start:c.end], "x.hcl", c.pos())
			if diags.HasErrors() {
				t.Fatalf("the piece %q is invalid: %v", text[c.start:c.end], diags)
			}
			pieces = append(pieces, items(file.Body.(*hclsyntax.Body))...)
		}
		if diff := cmp.Diff(items(whole.Body.(*hclsyntax.Body)), pieces); diff != "" {
			t.Errorf("items (-whole +pieces):\n%s", diff)
		}
	})
}

// items lists a body's blocks and arguments by place.
func items(b *hclsyntax.Body) []string {
	places := map[int]string{}
	end := 0
	for _, x := range b.Blocks {
		places[x.Range().Start.Byte] = fmt.Sprintf("%s %d %d", x.Type, x.Range().Start.Byte, x.CloseBraceRange.End.Byte)
		end = max(end, x.Range().Start.Byte)
	}
	for _, x := range b.Attributes {
		places[x.SrcRange.Start.Byte] = fmt.Sprintf("%s %d %d", x.Name, x.SrcRange.Start.Byte, x.SrcRange.End.Byte)
		end = max(end, x.SrcRange.Start.Byte)
	}
	var list []string
	for i := 0; i <= end; i++ {
		if s, ok := places[i]; ok {
			list = append(list, s)
		}
	}
	return list
}
