package text

import (
	"testing"
	"unicode/utf8"
)

func TestPrintable(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"plain text stays", "status 503, want 200-299", "status 503, want 200-299"},
		{"letters of any language stay", "größe 東京", "größe 東京"},
		{"escape sequences", "\x1b[2J", `\x1b[2J`},
		{"the one-byte form of CSI", "\u009b31m", `\u009b31m`},
		{"line ends and tabs", "a\r\nb\tc", `a\r\nb\tc`},
		{"marks of direction", "\u202eabc", `\u202eabc`},
		{"bytes that are no UTF-8", "a\xff\xc3b", `a\xff\xc3b`},
		{"the replacement character itself", "\ufffd", "\ufffd"},
		{"nothing but what a terminal obeys", "\x1b\a", `\x1b\a`},
		{"nothing but bytes that are no UTF-8", "\xff", `\xff`},
		{"quotes stay", `say "x" 'y'`, `say "x" 'y'`},
	} {
		if got := Printable(tt.in); got != tt.want {
			t.Errorf("%s: Printable(%q) = %q, want %q", tt.name, tt.in, got, tt.want)
		}
	}
}

func FuzzPrintable(f *testing.F) {
	f.Add("\x1b[31m")
	f.Add("\xff\ufffd\u202e")
	f.Fuzz(func(t *testing.T, s string) {
		p := Printable(s)
		if Printable(p) != p || !utf8.ValidString(p) {
			t.Errorf("Printable(%q) = %q is not printable", s, p)
		}
	})
}

func TestFew(t *testing.T) {
	for want, names := range map[string][]string{"": nil, "a, b, c": {"a", "b", "c"}, "a, b, c and 2 more": {"a", "b", "c", "d", "e"}} {
		if got := Few(names); got != want {
			t.Errorf("%q: %q, want %q", names, got, want)
		}
	}
}

func TestCounts(t *testing.T) {
	for n, want := range map[int]string{0: "0 real servers are", 1: "1 real server is", 2: "2 real servers are"} {
		if got := Count(n, "real server") + " " + Be(n); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestFewNames(t *testing.T) {
	for _, tt := range []struct {
		names []string
		want  string
	}{
		{[]string{"a"}, "a"},
		{[]string{"a", "b", "c"}, "a, b, c"},
		{[]string{"a", "b", "c", "d", "e"}, "a, b, c and 2 more"},
	} {
		if got := Few(tt.names); got != tt.want {
			t.Errorf("Few(%q) = %q, want %q", tt.names, got, tt.want)
		}
	}
}
