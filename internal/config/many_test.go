package config_test

import (
	"fmt"
	"path/filepath"
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
	const want = "and 990 warnings more"
	if last := diags[len(diags)-1]; len(diags) != 11 || last.Summary != want || last.Count != 990 {
		t.Errorf("%d warnings, the last one %q, want ten and %q", len(diags), last.Summary, want)
	}
}

// Mistakes beyond a bound are counted, and the configuration is refused.
func TestManyMistakesAreBounded(t *testing.T) {
	cfg, diags := parseServices(t, 1000, "scheduler = \"round\"")
	if cfg != nil || len(diags) != 501 || diags[500].Summary != "and 500 mistakes more" {
		t.Errorf("Config %v, %d diagnostics, want none and 500, and how many there are more", cfg, len(diags))
	}
	if err := diags.Err(); err == nil || !strings.HasSuffix(err.Error(), "(and 999 more)") {
		t.Errorf("error %v does not count the others", err)
	}
}

func parseServices(t *testing.T, n int, argument string) (*config.Config, config.Diagnostics) {
	t.Helper()
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "virtual_service \"s%d\" {\n  address = \"10.0.%d.%d\"\n  port = 80\n  forward = \"nat\"\n  %s\n  real_server \"192.168.1.4\" { weight = 2 }\n}\n",
			i, i/250, i%250+1, argument)
	}
	path := filepath.Join(t.TempDir(), "many.hcl")
	write(t, path, b.String())
	s, err := config.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	return config.Parse(s, config.Options{Node: "lvs1"})
}
