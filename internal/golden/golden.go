// Package golden compares what a test has made with a file that is read by people, too.
// Only tests import it.
package golden

import (
	"flag"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Update is set by go test -update: the files are written anew. Where a file differs, run
// that and read the difference; keep it only if you know what caused it and want it.
var Update = flag.Bool("update", false, "write the golden files anew")

// Check compares with a file, or writes it.
func Check[T string | []byte](t *testing.T, path string, got T) {
	t.Helper()
	if *Update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}
