package config

import (
	"os"
	"path/filepath"
	"testing"
)

// SourcesAt reads the configuration at a path.
func SourcesAt(tb testing.TB, path string) Sources {
	tb.Helper()
	s, err := Read(path)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// SourcesOf reads a text from a file web.hcl.
func SourcesOf(tb testing.TB, text string) Sources {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "web.hcl")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		tb.Fatal(err)
	}
	return SourcesAt(tb, path)
}
