package config_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/lvsd/lvsd/internal/config"
)

// However many doubts there are, the whole configuration is read.
func TestManyWarningsLoseNothing(t *testing.T) {
	cfg, diags := parseServices(t, 1000, "scheduler = \"rr\"")
	if cfg == nil || len(cfg.Services) != 1000 {
		t.Fatalf("services are lost: %v", diags.Err())
	}
	const want = "and 990 more warnings"
	if last := diags[len(diags)-1]; len(diags) != 11 || last.Summary != want || last.Count != 990 {
		t.Errorf("%d warnings, the last one %q, want ten and %q", len(diags), last.Summary, want)
	}
}

// Mistakes beyond a bound are counted, and the configuration is refused.
func TestManyMistakesAreBounded(t *testing.T) {
	cfg, diags := parseServices(t, 1000, "scheduler = \"round\"")
	if cfg != nil || len(diags) != 501 || diags[500].Summary != "and 500 more mistakes" {
		t.Errorf("Config %v, %d diagnostics, want none and 500, and how many there are more", cfg, len(diags))
	}
	if err := diags.Err(); err == nil || !strings.HasSuffix(err.Error(), "(and 999 more)") {
		t.Errorf("error %v does not count the others", err)
	}
}

// 8,000 locals took 11.5 s, since each made the object of all of them anew. What is
// allocated tells it where the time depends on the machine.
func TestManyLocalsCostWhatTheirNumberSays(t *testing.T) {
	allocated := func(n int) uint64 {
		text := "locals {\n"
		for i := range n {
			value := "1"
			if i%50 > 0 {
				value = fmt.Sprintf("local.l%d + 1", i-1)
			}
			text += fmt.Sprintf("  l%d = %s\n", i, value)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		diagnose(t, text+"}\n")
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc
	}
	allocated(10)
	few, many := allocated(1000), allocated(8000)
	if many > 16*few {
		t.Errorf("8,000 locals allocate %d bytes, and 1,000 %d: that is more than 16 times as many", many, few)
	}
}

// A local that is named by an expression, or that is not there, is found as before.
func TestLocalsThatAreNamedByExpressions(t *testing.T) {
	for name, tt := range map[string]struct{ text, want string }{
		"an unknown one within locals": {"locals {\n  a = local.bb\n  b = 1\n}\n", `Unknown local "bb": Did you mean "b"? The locals blocks define a, b.`},
		"one without its prefix":       {"locals {\n  a = b\n  b = 1\n}\n", "A local is used by its full name: write local.b."},
	} {
		if got := diagnose(t, tt.text)[0].String(); !strings.Contains(got, tt.want) {
			t.Errorf("%s: %s, want %s", name, got, tt.want)
		}
	}
	s := config.SourcesOf(t, "locals {\n  a = \"wrr\"\n  z = local[\"a\"]\n}\nvirtual_service \"web\" {\n  address = \"10.0.0.1\"\n  port = 80\n"+
		"  forward = \"nat\"\n  scheduler = local.z\n  real_server \"192.168.1.4\" {}\n}\n")
	if _, diags := config.Parse(s, config.Options{Node: "lvs1"}); diags.Err() != nil {
		t.Errorf("a local with its name in brackets: %v", diags.Err())
	}
}

func parseServices(t *testing.T, n int, argument string) (*config.Config, config.Diagnostics) {
	t.Helper()
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "virtual_service \"s%d\" {\n  address = \"10.0.%d.%d\"\n  port = 80\n  forward = \"nat\"\n  %s\n  real_server \"192.168.1.4\" { weight = 2 }\n}\n",
			i, i/250, i%250+1, argument)
	}
	s := config.SourcesOf(t, b.String())
	return config.Parse(s, config.Options{Node: "lvs1"})
}
