package config_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsd/lvsd/internal/config"
)

// broken is a service with two mistakes and one doubt.
const broken = "virtual_service \"web\" {\n" +
	"\taddress   = \"10.13.0.200\"\n" +
	"\tport      = 80\n" +
	"\tscheduler = \"\x1b[2Jwlcc\" # ä\n" +
	"\tforward   = \"masq\"\n" +
	"}\n"

func diagnose(t *testing.T, text string) config.Diagnostics {
	t.Helper()
	s := config.SourcesOf(t, text)
	cfg, diags := config.Parse(s, config.Options{Node: "lvs1"})
	if cfg != nil {
		t.Fatal("a configuration with mistakes was accepted")
	}
	for i := range diags {
		diags[i].File = "web.hcl"
	}
	return diags
}

func TestErrIsTheFirstMistakeInOneLine(t *testing.T) {
	const want = `web.hcl:2: Invalid address: "10.13.0.20O" is not an IP address such as 10.13.0.200 or 2001:db8::1. ` +
		`Host names are never looked up: a director must start without DNS. (and 1 more)`
	err := diagnose(t, strings.NewReplacer("10.13.0.200", "10.13.0.20O", "\x1b[2Jwlcc", "wlc").Replace(broken)).Err()
	if diff := cmp.Diff(want, err.Error()); diff != "" {
		t.Errorf("Err (-want +got):\n%s", diff)
	}
}

// What a file holds is shown, and does not steer the terminal. The mark stands
// below what is meant, behind tabs too; long texts are wrapped.
func TestRender(t *testing.T) {
	const want = `Error: Unknown scheduler "\x1b[2Jwlcc"
  web.hcl:4, in virtual_service "web":
     4 |     scheduler = "\x1b[2Jwlcc" # ä
       |                 ^^^^^^^^^^^^^
  It can be "rr", "wrr", "lc", "wlc", "lblc",
  "lblcr", "dh", "sh", "mh", "sed", "nq", "fo",
  "ovf" or "twos".

Error: Unknown forward "masq"
  web.hcl:5, in virtual_service "web":
     5 |     forward   = "masq"
       |                 ^^^^^^
  Did you mean "nat"? It can be "nat", "direct"
  or "tunnel".
`
	var b bytes.Buffer
	if err := diagnose(t, broken).Render(&b, 48, false); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("without colour (-want +got):\n%s", diff)
	}
	b.Reset()
	if err := diagnose(t, broken).Render(&b, 0, true); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), "\x1b[1;31mError:\x1b[0m") || strings.Contains(b.String(), "\x1b[2J") {
		t.Errorf("with colour:\n%q", b.String())
	}
}

func TestDiagnosticAsJSON(t *testing.T) {
	text, err := json.Marshal(diagnose(t, strings.Replace(broken, "\x1b[2Jwlcc", "wlc", 1))[0])
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"severity":"error","summary":"Unknown forward \"masq\"",` +
		`"detail":"Did you mean \"nat\"? It can be \"nat\", \"direct\" or \"tunnel\".","file":"web.hcl","line":5,"column":14,` +
		`"block":"virtual_service \"web\"","source":"\tforward   = \"masq\"","marked":[13,19]}`
	if diff := cmp.Diff(want, string(text)); diff != "" {
		t.Errorf("JSON (-want +got):\n%s", diff)
	}
}
