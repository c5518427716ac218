package config_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/lvsd/lvsd/internal/config"
)

// FuzzConfig: no text makes the parser panic, a configuration comes exactly
// where there is no error, and every diagnostic has a place and can be shown.
func FuzzConfig(f *testing.F) {
	for _, pattern := range []string{"testdata/*/*.hcl", "../../examples/*.hcl", "../../examples/*/*.hcl"} {
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
	f.Fuzz(func(t *testing.T, text []byte) {
		path := filepath.Join(t.TempDir(), "x.hcl")
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		s := config.SourcesAt(t, path)
		cfg, diags := config.Parse(s, config.Options{Node: "lvs1"})
		if (cfg == nil) != diags.HasErrors() || (diags.Err() == nil) != (cfg != nil) {
			t.Fatalf("Config %v, Err %v", cfg, diags.Err())
		}
		for _, d := range diags {
			if d.File != path || d.Line < 1 || d.Column < 1 || d.Summary == "" || d.Detail == "" {
				t.Errorf("incomplete: %+v", d)
			}
			if d.Summary == "Unreadable block" || d.Summary == "Unreadable local" {
				t.Errorf("a panic was survived: %+v", d)
			}
		}
		var b bytes.Buffer
		if err := diags.Render(&b, 80, false); err != nil {
			t.Error(err)
		}
		if cfg != nil && cfg.Digest != s.Digest(config.Options{Node: "lvs1", Files: cfg.Files}) {
			t.Error("the digests differ")
		}
	})
}
