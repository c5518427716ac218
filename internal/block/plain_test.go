package block

import (
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// checkPlain reports whether parsePlain accepts a text. If so, hclsyntax must
// accept it without a diagnostic and return the same tree.
func checkPlain(t *testing.T, text []byte) (plain bool) {
	t.Helper()
	start := hcl.Pos{Byte: 1000, Line: 20, Column: 5}
	got, plain := parsePlain(text, "plain.hcl", start)
	if !plain {
		return false
	}
	file, diags := hclsyntax.ParseConfig(text, "plain.hcl", start)
	if len(diags) > 0 {
		t.Fatalf("%q is accepted, but hclsyntax reports: %v", text, diags)
	}
	if want := file.Body.(*hclsyntax.Body); !reflect.DeepEqual(got, want) {
		every := cmp.Exporter(func(reflect.Type) bool { return true })
		t.Fatalf("%q: the trees differ (-hclsyntax +ours):\n%s", text, cmp.Diff(want, got, every))
	}
	return true
}

// plainTexts are accepted.
var plainTexts = []string{
	"",
	"\n\n",
	" \t",
	"# nothing",
	"# ü\n",
	"/* a */ /* b\n c */ // d",
	"a = 1",
	"a=1\n",
	"a = 1 # one",
	"a = 1 /* one */ // ü\n",
	"\ta\t=\t1\t\n",
	"# first\na = 1",
	"/* first */ a = 1",
	"/* first\n second */ a = 1",
	"a /**/ = /**/ 1 /**/",
	"a = \"\"\n",
	"a = \"some text, {braces} and #'s\"\n",
	"a = 0\nb = 007\nc = 123456789012345678901234567890\n",
	"a = true\nb = false\nc = null\n",
	"a = []\nb = [ ]\nc = [1]\nd = [1,]\ne = [1, \"2\", true, null, [3, []]]\n",
	"a = [ # ü\n  1, // one\n\n  /* two */ 2\n]\n",
	"a = [\n  local.x,\n  local.y.z,\n  each,\n]\n",
	"a = local.x\nb = node.name # c\nc = x\nd = true-ish\ne = local.true\n",
	"a {}\n",
	"a {\n}",
	"a b c {\n}\n",
	"a \"b\" c \"\" {}\n",
	"a\"b\"{}",
	"a{b=1}",
	"a { b = [1, 2] }\n",
	"a { b = local.x } # c",
	"a { /* b */ b = /* c */ \"d\" /* e */ }\n",
	"a { # b\n}\n",
	"a { /* b */ }\n",
	"a { /*\n*/ }\n",
	"a {\n  b = 1\n  c {\n    d = 2\n    e { f = 3 }\n  }\n  c {}\n  g = 4\n}",
	"for = 1\nif = 2\nnull = 3\ntrue {}\n",
	"a-b_c9 = 1\n_ = 2\n",
	// hclsyntax parses values of these.
	"a = \"${local.x}.1\"\nb = 1\n",
	"a = \"ü\"\nb = 1\n",
	"a = \"\\\\d+ $ % \\u00fc\"\nb = 1\n",
	"a = -1.5e3 # ü\nb = 1\n",
	"a = f(1, local.x...) // c\nb = x ? 1 : \"y\"\n",
	"a = [for x in y: x if z]\nb = {a = 1, \"b\" = [2]}\nc = x[*].y\nd = x.*.y[0]\ne = (1)\nf = x . y\ng = !x\n",
	"a = x.0\nb = x[\"y\"].z\nc = 1 + 2\nd = \"x\" == \"y\"\ne = p::f()\n",
	"a = 1 / b\nb = 1 /* ü */\nc = /* ü */ 1\nd = ä\ne = for\n",
	"a = [1\n, -2]\n",
	"a = [x\n.y]\n",
	"a = [1\n[0]]\n",
	"a = [\n  \"ü\",\n]\n",
	"a = f(\n1)\n",
	"a = (1\n+2)\n",
	"a = [\n  {\n    b = 1 # c\n  },\n]\nd = 2\n",
	"a { b = [1, -2] }\n",
	"a { b = [\n-1] } # c\n",
	"a { b = \"${c}\" } /* d */\n",
	"a = -1",
}

// otherTexts are left to hclsyntax. Most of them are wrong.
var otherTexts = []string{
	"\ufeffa = 1\n",
	"a = \ufeff1\n",
	"a = 1\r\n",
	"a = 1\x00",
	"a = 1\na = 2\n",
	"a { b = 1, c = 2 }\n",
	"a { b = 1 c = 2 }\n",
	"a { b = 1\n}\n",
	"a {\n  b = 1 }\n",
	"a { b {} }\n",
	"a { b = \"ü\" }\n",
	"a { b = \"}\" # }\n",
	"a {} b {}\n",
	"a {} b = 1\n",
	"a = 1 b = 2\n",
	"a = 1, b = 2\n",
	"a = 1,\n",
	"a\n{}\n",
	"a \"b\"\n{}\n",
	"a # b\n {}\n",
	"a = \n1\n",
	"a = # b\n1\n",
	"a = \n",
	"a =",
	"a",
	"a \"b\"",
	"a {",
	"a { b = 1",
	"a }\n",
	"}\n",
	"a \"b\" = 1\n",
	"a == 1\n",
	"a => 1\n",
	"\"a\" = 1\n",
	"1 = 2\n",
	"-a = 1\n",
	"ä = 1\n",
	"aä = 1\n",
	"a = \"b\n\"\n",
	"a = \"b",
	"a \"b${c}\" {}\n",
	"a \"ü\" {}\n",
	"a \"\\n\" {}\n",
	"a \"$\" {}\n",
	"a = 'b'\n",
	"a = [1 2]\n",
	"a = [,]\n",
	"a = [for]\n",
	"a = [1,,2]\n",
	"a = [1\n",
	"a = <<EOT\nb\nEOT\n",
	"a = 1 /* b",
	"a /* ü */ = 1\n",
	"/* ü */ a = 1\n",
	"/*\xf2*/ ",
	"# hclsyntax counts no line here \xed0\na = 1\n",
	"a = 1 /*/ b\n",
	"a = 1 # ü",
	"a = -1 # ü",
	"a { b = [\"ü\"] }\n",
	"a = 1abc\n",
	"a = 1..2\n",
	"a = x.\n",
	"a = true.x.\n",
	"a; b = 1\n",
	"a = `b`\n",
}

func TestPlain(t *testing.T) {
	for _, text := range plainTexts {
		if !checkPlain(t, []byte(text)) {
			t.Errorf("%q is not accepted", text)
		}
	}
	for _, text := range otherTexts {
		if checkPlain(t, []byte(text)) {
			t.Errorf("%q is accepted", text)
		}
	}
}

// All our examples are plain, and so are the files of those who start from one.
// Of the test cases, some are.
func TestPlainFiles(t *testing.T) {
	for path, text := range exampleItems(t, "../../examples") {
		if !checkPlain(t, text) {
			t.Errorf("%s: not accepted:\n%s", path, text)
		}
	}
	for _, text := range exampleItems(t, "../config/testdata") {
		checkPlain(t, text)
	}
}

// exampleItems yields the top-level items of the files in a directory.
func exampleItems(tb testing.TB, dir string) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || filepath.Ext(path) != ".hcl" {
				return err
			}
			text, err := os.ReadFile(path)
			for _, c := range split(text) {
				if !yield(path, text[c.start:c.end]) {
					return fs.SkipAll
				}
			}
			return err
		})
		if err != nil {
			tb.Error(err)
		}
	}
}

func FuzzParsePlain(f *testing.F) {
	for _, text := range append(plainTexts, otherTexts...) {
		f.Add([]byte(text))
	}
	for _, dir := range []string{"../../examples", "../config/testdata"} {
		for _, text := range exampleItems(f, dir) {
			f.Add(text)
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) { checkPlain(t, text) })
}

// A service of 10 servers whose addresses are literals, references, or
// expressions that only hclsyntax parses.
func BenchmarkParseItem(b *testing.B) {
	for name, address := range map[string]string{
		"literals": `"172.16.0.%d"`, "references": `local.server%d`, "templates": `"${local.net}.%d"`,
	} {
		text := []byte("virtual_service \"web\" {\n  address = \"10.0.0.1\"\n  port    = 80\n  forward = \"nat\"\n")
		for i := range 10 {
			text = fmt.Appendf(text, "  real_server \"node-%d\" {\n    address = "+address+"\n    port    = 8080\n    weight  = 1\n  }\n", i, i)
		}
		text = append(text, "}\n"...)
		b.Run(name+"/plain", func(b *testing.B) {
			for b.ReportAllocs(); b.Loop(); {
				if _, ok := parsePlain(text, "web.hcl", hcl.InitialPos); !ok {
					b.Fatal("not accepted")
				}
			}
		})
		b.Run(name+"/hclsyntax", func(b *testing.B) {
			for b.ReportAllocs(); b.Loop(); {
				if _, diags := hclsyntax.ParseConfig(text, "web.hcl", hcl.InitialPos); len(diags) > 0 {
					b.Fatal(diags)
				}
			}
		})
	}
}
