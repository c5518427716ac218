package config

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/lvsd/lvsd/internal/block"
)

// A canary is a value of 200 characters whose parts are told apart, so that it can
// be seen how much of it a message has, in whatever way it quotes it.
func canary() string {
	var b strings.Builder
	for i := range 50 {
		fmt.Fprintf(&b, "c%03d", i)
	}
	return b.String()
}

var part = regexp.MustCompile(`c\d{3}`)

// shown is how much of the canary the messages about a text show, in characters,
// and the message that shows most.
func shown(t *testing.T, dir, text string, env map[string]string) (most int, worst string) {
	t.Helper()
	path := filepath.Join(dir, "lvsd.hcl")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s := SourcesAt(t, path)
	o := Options{Node: "lvs1", Env: func(name string) (string, bool) { v, ok := env[name]; return v, ok }}
	_, diags := ParseWith(s, o, Machine{Interfaces: []string{"eth0"}}, nil)
	for _, d := range diags {
		for _, message := range []string{d.Summary, d.Detail, d.Source, d.Block} {
			if !strings.Contains(message, "c0") {
				continue // The expression would take most of the test's time.
			}
			parts := part.FindAllString(message, -1)
			slices.Sort(parts)
			if n := 4 * len(slices.Compact(parts)); n > most {
				most, worst = n, message
			}
		}
	}
	return most, worst
}

// disguises are forms in which a value is taken for something else, and refused
// elsewhere.
func disguises() []string {
	c := canary()
	return []string{
		c, "/" + c, "10.0.0.1%" + c, "fe80::1%" + c, "10.0.0.1/" + c, "10.0.0.1:" + c, "[::1]:" + c, "GET " + c,
		"200-" + c, "(" + c, "(?P<" + c + ">", "[" + c, "a{" + c + "}", "5" + c + "s", "node." + c, "http://" + c,
		"first \"line\"\n\\" + c + "\x1b\u202e`", `{"` + c + `": "` + c + `"`, `{"` + c + `": 1}`,
	}
}

// wrap puts the text of a block into those around it.
type wrap func(inner string) string

// eachBlock calls visit for every block that there is, with what is around it.
func eachBlock(s *block.Schema, around wrap, visit func(*block.Schema, wrap)) {
	visit(s, around)
	for _, k := range s.Kinds {
		visit(k.Schema(), func(inner string) string {
			return strings.Replace(around(inner), s.Name+` "kind"`, fmt.Sprintf("%s %q", s.Name, k.Name), 1)
		})
		for _, o := range k.Schema().Options {
			if o.Block != nil && o.Block != s { // not a check in a check
				eachBlock(o.Block, inside(o, func(inner string) string {
					return strings.Replace(around(inner), s.Name+` "kind"`, fmt.Sprintf("%s %q", s.Name, k.Name), 1)
				}), visit)
			}
		}
	}
	for _, o := range s.Options {
		if o.Block != nil {
			eachBlock(o.Block, inside(o, around), visit)
		}
	}
}

func inside(o *block.Option, around wrap) wrap {
	labels := strings.Repeat(` "kind"`, len(o.Labels))
	return func(inner string) string { return around(o.Name + labels + " {\n" + inner + "\n}\n") }
}

// No message shows more than 40 characters of what is in the environment or in a
// file, wherever in a configuration that value is used.
func TestNoMessageShowsAValue(t *testing.T) {
	dir := t.TempDir()
	var uses []string
	known := make(map[*block.Schema]bool) // Blocks that are at several places have the same messages.
	eachBlock(top.Schema(), func(s string) string { return s }, func(s *block.Schema, around wrap) {
		if s.Name == topLevel || known[s] {
			return
		}
		known[s] = true
		tried := false
		for _, o := range s.Options {
			if o.Block != nil {
				labels := strings.Repeat("X, ", len(o.Labels))
				uses = append(uses, around("dynamic \""+o.Name+"\" {\nfor_each = [1]\nlabels = ["+labels+"]\ncontent {}\n}"))
				continue
			}
			// What the option reads, and, once for each block, what is refused before.
			forms := []string{"X", "[X]", "{ a = X }", "{ (X) = X }"}
			if !tried {
				forms = append(forms, "X.y", "\"a ${X}\"", "{}[X]", "{ (X) = 1 }[\"b\"]", "jsondecode(X)", "jsondecode(X).b")
				tried = true
			}
			for _, form := range forms {
				uses = append(uses, around(o.Name+" = "+form))
			}
		}
	})
	for _, name := range block.FunctionNames() {
		for _, arguments := range []string{"X", "X, X", "X, X, X", "[X], X", "X, [X]", "{ a = X }, X", "1, X", "[1, X]"} {
			uses = append(uses, "virtual_service \"web\" {\nscheduler = "+name+"("+arguments+")\n}")
		}
	}
	uses = append(uses, "dynamic \"virtual_service\" {\nfor_each = [1]\nlabels = [X]\ncontent {}\n}", "locals {\na = X\nb = local[X]\nc = env[X]\nd = X + 1\n}")
	if len(uses) < 500 {
		t.Fatalf("only %d uses of a value", len(uses))
	}
	for i, value := range disguises() {
		if err := os.WriteFile(filepath.Join(dir, "secret"), []byte(value), 0o600); err != nil {
			t.Fatal(err)
		}
		from := []string{"env.SECRET", `file("secret")`}[i%2]
		for some := range slices.Chunk(uses, 200) {
			text := strings.ReplaceAll(strings.Join(some, "\n"), "X", from)
			if n, message := shown(t, dir, text, map[string]string{"SECRET": value}); n > 40 {
				t.Errorf("%.20q shows %d characters: %s", value, n, message)
			}
		}
	}
}

// Nor is what headers are made of.
func TestNoMessageShowsALocalOfHeaders(t *testing.T) {
	const check = "virtual_service \"web\" {\ncheck \"http\" {\nheaders = %s\n}\n}\n"
	for _, use := range []string{"local.common", "merge({}, local.common)", "{ Authorization = \"Bearer ${local.common}\" }", "{ a = local[\"common\"] }", "{ a = local.indirect }",
		"x.value.headers"} {
		for _, locals := range []string{
			"locals { common = { Authorization = \"Bearer §\" c } }",
			"locals {\ncommon = { Authorization = \"Bearer § }\n}",
			"locals {\ncommon = {\nAuthorization = \"Bearer §\" c\n}\n}",
			"locals {\ncommon = \"Bearer\n§\"\n}",
			"locals {\ncommon = parseint(\"§\", 10)\n}",
			"locals {\ncommon = 1§\n}",
			"locals {\ncommon \"§\"\n}",
			"locals {\n}\ncommon = \"§\" c\n}",
			"locals {\ncommon = local.secret[1]\nindirect = local.common\nsecret = parseint(\"§\", 10)\n}",
			"dynamic \"virtual_service\" {\nfor_each = { x = \"§\" c }\nlabels = []\n}",
			"dynamic \"virtual_service\" {\nfor_each = [\n\"§\",\n1 +]\nlabels = []\n}",
		} {
			for _, text := range []string{locals + "\n" + fmt.Sprintf(check, use), fmt.Sprintf(check, use) + locals + "\n"} {
				text = strings.ReplaceAll(text, "§", canary())
				if n, message := shown(t, t.TempDir(), text, nil); n > 0 {
					t.Errorf("%s shows %d characters: %s", text, n, message)
				}
			}
		}
	}
	text := "locals {\ncommon = { a = \"c001c002\" c }\n}\n" + fmt.Sprintf(check, "{ a = \"b\" }")
	if n, _ := shown(t, t.TempDir(), text, nil); n == 0 {
		t.Error("where headers are made of no locals, these are shown")
	}
}

// What is in headers is shown not at all, even where it stands in the file.
func TestNoMessageShowsAHeader(t *testing.T) {
	env := map[string]string{"SECRET": canary() + "\n"}
	for _, headers := range []string{
		`headers = { Authorization = "Bearer §" }`,
		`headers = { Authorization = "Bearer § }`,
		`headers = { Authorization = "Bearer §", }, "§"`,
		`headers = { Authorization = § }`,
		`headers = { Authorization = Bearer § }`,
		`headers = { Authorization: "Bearer §" }`,
		`headers = { "Authorization: Bearer §" = "" }`,
		`headers = [ "Authorization: Bearer §" ]`,
		`headers = "Authorization: Bearer §"`,
		`headers { Authorization = "Bearer §" }`,
		`headers "§"`,
		"headers = {\nAuthorization = \"Bearer §\"\nb = ]\n}",
		"headers = {\nAuthorization = \"Bearer §\n}",
		"headers = {\nAuthorization = \"Bearer §\" c\n}",
		"headers = {\nAuthorization = 1§\n}",
		"headers = {\nAuthorization §\n}",
		"headers = {\nAuthorization \"§\"\n}",
		"headers = {\n\"Authorization: Bearer §\"\n}",
		"headers = merge({\nAuthorization = upper(\"§\", \"§\")\n}, 1)",
		"headers = {\nAuthorization = parseint(\"§\", 10)\n}",
		"headers = { Authorization = env.SECRET }",
		"headers = { (env.SECRET) = \"x\" }",
		"headers = parseint(env.SECRET, 10)",
		"headers = env.SECRET",
		"headers = { Authorization = \"Bearer §\", \"X Y\" = \"1\" }",
		"headers = {\nA = \"1\"\n\"X Y\" = \"§\"\n}",
		"headers = merge(local.common, {A=\"x\"},\n{ Authorization = \"§\", b = ] })",
		"headers = merge(local.common, {A=\"x\"},\n{\nAuthorization = \"§\" c\n})",
		"headers = merge(\n{ Authorization = \"§\" c }\n)",
		"headers = merge({\nA=\"1\"\n}, {\nB=\"§\" c\n})",
		"headers = merge({ A = \"}\" # }\n}, {\nB=\"§\" c\n})",
		"headers = <<EOT\n}\n§ ${]}\n§= ${]}\nEOT",
		"headers = \"§\" ]",
		"headers =\n{ Authorization = \"§\" }",
		"headers\n{\nAuthorization = \"§\" c\n}",
		"headers = \"Authorization: Bearer\n§\"",
		"headers = \"Authorization:\n# Bearer\n§\" c",
		"headers = upper(\"Bearer\n§\")",
		"headers =\n\"Authorization: Bearer\n§",
		"headers = [\"Bearer\n§\", 1]",
		"\"headers\": { \"Authorization\": \"§\" }",
		"\"headers\" = { \"Authorization\": \"§\", b = ] }",
		"headers = { A = \"" + strings.Repeat("§ = ", 3) + "\", B = ] }",
	} {
		headers = strings.ReplaceAll(headers, "§", canary())
		for _, around := range []string{
			"virtual_service \"web\" {\ncheck \"http\" {\n%s\n}\n}\n",
			"virtual_service \"web\" {\ncheck \"http\" { %s }\n}\n",
			"virtual_service \"web\" {\ncheck \"htp\" { %s }\n}\n",
			"virtual_service \"web\" {\ncheck \"http\" {%s}\n}\n",
			"virtual_service \"web\" { check \"http\" { %s } }\n",
			"check \"http\" { %s }\n",
			"%s\n",
		} {
			text := fmt.Sprintf(around, headers)
			if n, message := shown(t, t.TempDir(), text, env); n > 0 {
				t.Errorf("%s shows %d characters: %s", text, n, message)
			}
		}
	}
}
