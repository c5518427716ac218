package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lvsd/lvsd/internal/api"
)

// TestPlanCommand holds what scripts rely on: exit statuses, and what is planned.
func TestPlanCommand(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"a.hcl": "aa", "b.hcl": "bbb", ".c.hcl": "hidden"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	differs := api.Plan{OK: true, Differences: true, Changes: []api.Difference{{Action: api.Add, Kind: "virtual_service", Name: "web"}}}
	refused := api.Plan{Error: "web.hcl:5: no", Diagnosis: "web.hcl:5: no"}
	for _, tt := range []struct {
		name    string
		args    string
		plan    api.Plan
		exit    int
		out     string // a part of it
		errs    string
		planned string // the files that the daemon was given
	}{
		{"nothing differs", "", api.Plan{OK: true}, 0, "nothing would change\n", "", ""},
		{"something does", "", differs, exitDifferences, "+ virtual service web\n", "", ""},
		{"something does, for a program", "-o json", differs, exitDifferences, `"differences":true`, "", ""},
		{"it would be refused", "", refused, exitFailure, "", "web.hcl:5: no", ""},
		{"it would be refused, for a program", "-o json", refused, exitFailure, `"ok":false`, "", ""},
		{"a directory that is not in its place", "--config " + dir, api.Plan{OK: true}, 0, "nothing", "", dir + "/a.hcl=aa " + dir + "/b.hcl=bbb"},
		{"standard input", "--config -", api.Plan{OK: true}, 0, "nothing", "", "standard input=piped"},
		{"a file that is not there", "--config /nowhere", api.Plan{OK: true}, exitFailure, "", "no configuration at /nowhere", ""},
		{"in colour", "--color", differs, exitDifferences, "\x1b[32m+\x1b[0m virtual service web", "", ""},
		{"a wrong word", "web", api.Plan{}, exitUsage, "", "unknown command", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var planned string
			source := oneStatus{planned: func(o api.PlanOrder) api.Plan {
				var all []string
				for _, f := range o.Files {
					all = append(all, f.Name+"="+f.Text)
				}
				planned = strings.Join(all, " ")
				return tt.plan
			}}
			out, errs, exit := piped(t, "piped", append([]string{"plan", "--socket", answering(t, source)}, strings.Fields(tt.args)...)...)
			if exit != tt.exit || !strings.Contains(out, tt.out) || !strings.Contains(errs, tt.errs) || planned != tt.planned {
				t.Errorf("exit status %d, output %q, error %q, planned %q; want %d, %q, %q, %q", exit, out, errs, planned, tt.exit, tt.out, tt.errs, tt.planned)
			}
		})
	}
	if _, errs, exit := command(t, "plan", "--socket", "/nowhere/lvsd.sock"); exit != exitNoAnswer || !strings.Contains(errs, "systemctl start lvsd") {
		t.Errorf("without a daemon: exit status %d, error %q", exit, errs)
	}
}

func (s oneStatus) Plan(_ context.Context, o api.PlanOrder) (api.Plan, error) {
	if s.planned == nil {
		return api.Plan{}, fmt.Errorf("nobody plans")
	}
	return s.planned(o), nil
}
