package config_test

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsd/lvsd/internal/config"
)

const textual = `locals {
  reply = <<EOT
first
second
EOT
}

/* a comment
over lines */
virtual_router "outside" {
	interface = "eth0" # with tabs
	id        = 51
	addresses = [
		"10.13.0.200/24",
	]
}
` + webService

// A file that was edited on Windows says the same: line ends of two
// characters, and a mark before the first line.
func TestLineEndsOfWindows(t *testing.T) {
	path := filepath.Join(t.TempDir(), "web.hcl")
	write(t, path, textual)
	unix := parse(t, path, config.Options{Node: "lvs1"})
	write(t, path, "\ufeff"+strings.ReplaceAll(textual, "\n", "\r\n"))
	windows := parse(t, path, config.Options{Node: "lvs1"})
	if diff := cmp.Diff(print(unix), print(windows)); diff != "" {
		t.Errorf("configuration (-unix +windows):\n%s", diff)
	}
	if unix.Digest != windows.Digest {
		t.Error("the digests differ, though nothing changed")
	}
	if diff := cmp.Diff(diagnose(t, broken), diagnose(t, strings.ReplaceAll(broken, "\n", "\r\n"))); diff != "" {
		t.Errorf("mistakes (-unix +windows):\n%s", diff)
	}
}

// inUTF16 encodes a text as Windows does: with a mark, little end first.
func inUTF16(text string, order binary.AppendByteOrder) string {
	var b []byte
	for _, u := range utf16.Encode([]rune(text)) {
		b = order.AppendUint16(b, u)
	}
	return string(b)
}

// What is no configuration at all is one mistake, not one for every line.
func TestOneMistakeForWhatIsNoConfiguration(t *testing.T) {
	program, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	const empty = "web.hcl:1: Empty configuration: "
	for name, tt := range map[string]struct{ text, want string }{
		"nothing at all":              {"", empty},
		"blank lines and comments":    {"\n# once there was more\n\n", empty},
		"locals only":                 {"locals {\n  a = 1\n}\n", empty},
		"a dynamic block of nothing":  {"dynamic \"virtual_service\" {\n  for_each = []\n  labels = [\"x\"]\n  content {}\n}\n", empty},
		"UTF-16":                      {inUTF16("\ufeff"+textual, binary.LittleEndian), "web.hcl:1: Not UTF-8: This is UTF-16: save it as UTF-8."},
		"UTF-16, big end first":       {inUTF16("\ufeff"+textual, binary.BigEndian), "web.hcl:1: Not UTF-8: This is UTF-16: save it as UTF-8."},
		"UTF-16 without a mark":       {inUTF16(textual, binary.LittleEndian), "web.hcl:1: Not UTF-8: This is UTF-16: save it as UTF-8."},
		"a program":                   {string(program[:min(len(program), 1<<20)]), "web.hcl:1: Not text: "},
		"a file whose end was lost":   {textual + strings.Repeat("\x00", 4096), "web.hcl:23: Not text: "},
		"another daemon's, from afar": {"\r\n! main\r\nvirtual_server 10.13.0.200 80 {\r\n  delay_loop 6\r\n}\r\n", "web.hcl:3: Configuration of keepalived: "},
	} {
		t.Run(name, func(t *testing.T) {
			diags := diagnose(t, tt.text)
			if len(diags) != 1 || !strings.HasPrefix(diags[0].String(), tt.want) {
				t.Errorf("%d mistakes, the first is %v, want %q alone", len(diags), diags.Err(), tt.want)
			}
			var b strings.Builder
			if err := diags.Render(&b, 0, false); err != nil || strings.Contains(b.String(), "\x00") || len(b.String()) > 600 {
				t.Errorf("shown as %q, %v", b.String(), err)
			}
		})
	}
}

// One file of several may be empty: the others say what is served.
func TestAnEmptyFileAmongOthers(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a.hcl"), "")
	write(t, filepath.Join(dir, "web.hcl"), webService)
	parse(t, dir, config.Options{Node: "lvs1"})
	write(t, filepath.Join(dir, "web.hcl"), "director {}\n")
	s := config.SourcesAt(t, dir)
	if _, diags := config.Parse(s, config.Options{}); len(diags) != 1 || !strings.Contains(diags[0].Detail, "2 files, has no virtual_router") {
		t.Errorf("mistakes: %v", diags)
	}
}
