package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/golden"
)

// TestImportCompares what is in the files of the importers' own tests.
func TestImportCompares(t *testing.T) {
	for _, tt := range []struct {
		name string
		args []string
		exit int
	}{
		{"keepalived-pair", []string{"keepalived", "keepalived/testdata/pair.conf"}, 0},
		{"keepalived-defaults", []string{"keepalived", "keepalived/testdata/lvs-defaults.conf"}, 0},
		{"keepalived-checks", []string{"keepalived", "keepalived/testdata/lvs-checks.conf"}, exitDifferences},
		{"keepalived-fwmark", []string{"keepalived", "keepalived/testdata/lvs-fwmark.conf"}, exitDifferences},
		{"keepalived-mistakes", []string{"keepalived", "keepalived/testdata/lvs-mistakes.conf"}, exitDifferences},
		{"ldirectord", []string{"ldirectord", "ldirectord/testdata/kinds.cf", "--no-resolve"}, exitDifferences},
		{"ipvsadm", []string{"ipvsadm", "ipvsadm/testdata/saved.rules"}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.args[1] = filepath.Join("../../internal/importer", tt.args[1])
			stdout, stderr, exit := command(t, append([]string{"import"}, append(tt.args, "--compare")...)...)
			if exit != tt.exit || stderr != "" {
				t.Errorf("exit status %d, want %d: %s", exit, tt.exit, stderr)
			}
			golden.Check(t, filepath.Join("testdata", "compare-"+tt.name+".txt"), stdout)
		})
	}
}

// TestImportComparesForPrograms and director by director.
func TestImportComparesForPrograms(t *testing.T) {
	stdout, stderr, exit := command(t, "import", "--compare", "-o", "json", "keepalived",
		"--node", "lvs1="+keepalivedSite(t, "255", keepalivedService), "--node", "lvs2="+keepalivedSite(t, "100", keepalivedService))
	var c api.Compared
	if err := json.Unmarshal([]byte(stdout), &c); err != nil || exit != exitDifferences || !c.Differences || len(c.Directors) != 2 {
		t.Fatalf("%d: %v: %s%s", exit, err, stdout, stderr)
	}
	for i, differ := range []string{"virtual router 51 of IPv4 on eth0", ""} { // lvsd's owner would be another one.
		d, rows := c.Directors[i], ""
		for _, r := range d.Rows {
			if r.Differs {
				rows += r.Key
			}
		}
		if rows != differ || len(d.Rows) != 5 {
			t.Errorf("%s: %q differ, want %q: %+v", d.Name, rows, differ, d.Rows)
		}
	}
}

// TestImportOfNoProgram asks which one.
func TestImportOfNoProgram(t *testing.T) {
	if _, stderr, exit := command(t, "import", "--compare"); exit != exitUsage || !strings.Contains(stderr, "which program's configuration?") {
		t.Errorf("%d: %s", exit, stderr)
	}
}

// TestImportComparesOrWrites, and not both.
func TestImportComparesOrWrites(t *testing.T) {
	_, stderr, exit := command(t, "import", "keepalived", "--compare", "--output", t.TempDir(), keepalivedSite(t, "100", ""))
	if exit != exitUsage || !strings.Contains(stderr, "compare") {
		t.Errorf("%d: %s", exit, stderr)
	}
}
