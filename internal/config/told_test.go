package config_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsd/lvsd/internal/config"
)

// openService is a virtual service without its closing brace.
const openService = "virtual_service \"web\" {\n  address = \"10.13.0.200\"\n  port = 80\n  forward = \"nat\"\n  real_server \"192.168.1.4\" {}\n"

// What administrators wrote by mistake, and what they are told: the line, and a
// part of the message. Every mistake is told, and nothing else.
func TestWhatAdministratorsAreTold(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"I opened a comment and forgot its end", openService + "}\n\n/* for later\nvirtual_service \"mail\" {}\n",
			"8 Unclosed comment: This comment has no end, so the rest of the file would be ignored: write */ where it ends."},
		{"I forgot the end of a text of several lines", openService + "  check \"http\" {\n    expect {\n      body = <<EOT\nhello\n    }\n  }\n}\n",
			"8 Unclosed text: The text that begins here has no end: write EOT alone on a line after it."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, d := range told(t, tt.text) {
				got = append(got, fmt.Sprintf("%d %s: %s", d.Line, d.Summary, d.Detail))
			}
			if diff := cmp.Diff(tt.want, strings.Join(got, "\n")); diff != "" {
				t.Errorf("mistakes (-want +got):\n%s", diff)
			}
		})
	}
}

// told returns the diagnostics of a configuration for the director lvs1.
func told(t *testing.T, text string) config.Diagnostics {
	t.Helper()
	path := filepath.Join(t.TempDir(), "web.hcl")
	write(t, path, text)
	s, err := config.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	_, diags := config.ParseWith(s, options(), machine(), nil)
	return diags
}
