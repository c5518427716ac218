package director

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/golden"
)

// TestExamplesArePlanned loads every example as each director would, and
// compares the table that it asks for, all servers up, with what an
// administrator of ipvsadm would write.
func TestExamplesArePlanned(t *testing.T) {
	const dir = "../../examples"
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	planned := 0
	for _, e := range entries {
		if !e.IsDir() && !strings.HasSuffix(e.Name(), ".hcl") {
			continue
		}
		planned++
		t.Run(e.Name(), func(t *testing.T) {
			got := planOf(t, filepath.Join(dir, e.Name()), "lvs1")
			golden.Check(t, filepath.Join("testdata", "examples", e.Name()+".txt"), got)
			if diff := cmp.Diff(got, planOf(t, filepath.Join(dir, e.Name()), "lvs2")); diff != "" {
				t.Errorf("the two directors disagree (-lvs1 +lvs2):\n%s", diff)
			}
		})
	}
	if planned < 4 {
		t.Errorf("%d examples, want the seed's three clusters, the pair and the reference", planned)
	}
}

// planOf is the table that a configuration asks for on a node that is Master,
// with every server up.
func planOf(t *testing.T, path, node string) string {
	t.Helper()
	sources, err := config.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	c, diags := config.Parse(sources, config.Options{Node: node, Env: os.LookupEnv})
	if diags.HasErrors() {
		t.Fatal(diags.Err())
	}
	return Plan(start, c, World{
		Standing: func(int, int) Standing { return Standing{State: checker.Up} },
		Master:   func(string) bool { return true },
		Own:      func(netip.Addr) bool { return false },
	}).Table.String()
}
