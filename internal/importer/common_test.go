package importer

import (
	"strings"
	"testing"
)

// service is a virtual service whose check has these arguments, "name=value".
func service(name, kind string, args ...string) *Block {
	b := NewBlock("virtual_service", name)
	c := b.Block("check", kind)
	for _, a := range args {
		name, value, _ := strings.Cut(a, "=")
		c.Set(name, Expr(value))
	}
	b.Block("real_server", "10.0.0.1")
	return b
}

// TestWhatChecksHaveInCommonIsSaidOnce, where that is shorter.
func TestWhatChecksHaveInCommonIsSaidOnce(t *testing.T) {
	usual := []string{`interval="6s"`, `fast_interval="3s"`, `timeout="5s"`, "rise=1"}
	with := func(more ...string) []string { return append(append([]string{}, usual...), more...) }
	for _, tt := range []struct {
		name   string
		blocks []*Block
		want   string // the blocks defaults, on one line; empty: none
		left   string // in the checks
	}{
		{"one check", []*Block{service("a", "tcp", usual...)}, "", ""},
		{"three of one kind", []*Block{service("a", "tcp", usual...), service("b", "tcp", usual...), service("c", "tcp", usual...)},
			`check "*" { interval = "6s" fast_interval = "3s" timeout = "5s" rise = 1 }`, `check "tcp" {} check "tcp" {} check "tcp" {}`},
		{"of two kinds, with their own", []*Block{service("a", "tcp", usual...), service("b", "http", with(`path="/x"`)...), service("c", "http", with(`path="/x"`)...)},
			`check "*" { interval = "6s" fast_interval = "3s" timeout = "5s" rise = 1 }`, `check "tcp" {} check "http" { path = "/x" } check "http" { path = "/x" }`},
		{"one has lvsd's default", []*Block{service("a", "tcp", usual...), service("b", "tcp", usual...), service("c", "tcp", usual...), service("d", "tcp", usual[1:]...)},
			`check "*" { interval = "6s" fast_interval = "3s" timeout = "5s" rise = 1 }`, `check "tcp" {} check "tcp" {} check "tcp" {} check "tcp" { interval = "2s" }`},
		{"one has none, which cannot be said", []*Block{service("a", "tcp", usual...), service("b", "tcp", usual...), service("c", "tcp", usual...), service("d", "tcp", usual[0], usual[2], usual[3])},
			`check "*" { interval = "6s" timeout = "5s" rise = 1 }`, `check "tcp" { fast_interval = "3s" } check "tcp" { fast_interval = "3s" } check "tcp" { fast_interval = "3s" } check "tcp" {}`},
		{"a server whose check is not written", []*Block{service("a", "tcp", usual...), service("b", "tcp", usual...), service("c", "tcp", usual...),
			{Kind: "virtual_service", Labels: []string{"d"}, Items: []Item{NewBlock("real_server", "10.0.0.1")}}}, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := strings.Join(strings.Fields(Write(Simplify(tt.blocks))), " ")
			_, defaults, there := strings.Cut(text, "defaults { ")
			if defaults = strings.TrimSuffix(defaults, " }"); there != (tt.want != "") || defaults != tt.want {
				t.Errorf("defaults are %q, want %q", defaults, tt.want)
			}
			var left []string
			for _, b := range tt.blocks {
				for _, c := range b.of("check") {
					left = append(left, strings.Join(strings.Fields(Write([]*Block{c})), " "))
				}
			}
			if got := strings.Join(left, " "); tt.left != "" && got != tt.left {
				t.Errorf("checks have %q, want %q", got, tt.left)
			}
		})
	}
}
