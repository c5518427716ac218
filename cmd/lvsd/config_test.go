package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lvsd/lvsd/internal/api"
)

// keptFiles writes a state directory with two configurations of one file, and returns both.
func keptFiles(t *testing.T) (dir, path string) {
	t.Helper()
	dir, path = t.TempDir(), file(t, "now\n")
	for n, text := range map[string]string{"1": "# first\\n\\tx = \\\"a\\\\tb\\\"\\n", "2": "second\\n"} {
		document := `{"version":1,"accepted":"2026-11-28T03:00:0` + n + `Z","digest":"0123456789abcdef","files":[{"path":"` + path + `","mode":416,"text":"` + text + `"}]}`
		if err := os.WriteFile(filepath.Join(dir, "configuration-"+n+".json"), []byte(document), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir, path
}

// TestConfigCommands holds what --help promises.
func TestConfigCommands(t *testing.T) {
	dir, path := keptFiles(t)
	for _, tt := range []struct {
		name, args string
		exit       int
		out, errs  string // a part of each
	}{
		{"the list", "history", 0, "     2  2026-11-28 03:00:02  0123456789ab", ""},
		{"the list, for a program", "history -o json", 0, `"configurations":[{"number":2,"accepted":"2026-11-28T03:00:02Z"`, ""},
		{"the newest", "show", 0, "second\n", ""},
		{"one by its number, as it was written", "show 1", 0, "# first\n\tx = \"a\\tb\"\n", ""},
		{"one, for a program", "show 1 -o json", 0, `"text":"# first\n`, ""},
		{"one that is not kept", "show 3", exitFailure, "", "there is no configuration 3 in " + dir + ": kept are 2 1"},
		{"a word", "show first", exitUsage, "", `"first" is no number`},
		{"a rollback without a number", "rollback", exitUsage, "", "give one number"},
		{"a rollback elsewhere", "rollback 1 --config /nowhere", exitFailure, "", "is not beneath /nowhere"},
		{"a wrong word", "frob", exitUsage, "", "write history, show or rollback"},
	} {
		args := append([]string{"config"}, strings.Fields(tt.args)...)
		if tt.args != "frob" {
			args = append(args, "--state-dir", dir)
		}
		if strings.HasPrefix(tt.args, "rollback") {
			args = append(args, "--socket", "/nowhere/lvsd.sock")
		}
		out, errs, exit := command(t, args...)
		if exit != tt.exit || !strings.Contains(out, tt.out) || !strings.Contains(errs, tt.errs) {
			t.Errorf("%s: exit status %d, output %q, error %q; want %d, %q, %q", tt.name, exit, out, errs, tt.exit, tt.out, tt.errs)
		}
	}
	if text, _ := os.ReadFile(path); string(text) != "now\n" {
		t.Errorf("the file has %q", text)
	}
}

func TestRollback(t *testing.T) {
	for _, tt := range []struct {
		name      string
		plan      api.Plan
		reload    api.Reloaded
		args      string
		exit      int
		out, errs string
		text      string // of the file afterwards
	}{
		{"it runs again", api.Plan{OK: true}, api.Reloaded{OK: true, Changes: []string{"removed virtual service new"}}, "", 0, "restored PATH\nreloaded: removed virtual service new\n", "", "second\n"},
		{"it runs again, for a program", api.Plan{OK: true}, api.Reloaded{OK: true, Changes: []string{}, Warnings: []string{}}, "-o json", 0, `"running":true`, "", "second\n"},
		{"it would be refused now", api.Plan{Error: "there is no eth7", Diagnosis: "Error: no eth7\n"}, api.Reloaded{}, "", exitFailure, "", "Error: no eth7\nlvsd: the daemon would refuse configuration 2 now, so nothing was done", "now\n"},
		{"no daemon answers", api.Plan{}, api.Reloaded{}, "--socket /nowhere/lvsd.sock", 0, "restored PATH\nno daemon answers", "", "second\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir, path := keptFiles(t)
			var asked api.PlanOrder
			socket := answering(t, oneStatus{reloaded: tt.reload, planned: func(o api.PlanOrder) api.Plan { asked = o; return tt.plan }})
			args := append([]string{"config", "rollback", "2", "--state-dir", dir, "--config", path, "--socket", socket}, strings.Fields(tt.args)...)
			out, errs, exit := command(t, args...)
			out = strings.ReplaceAll(out, path, "PATH")
			text, _ := os.ReadFile(path)
			if exit != tt.exit || !strings.Contains(out, tt.out) || !strings.Contains(errs, tt.errs) || string(text) != tt.text {
				t.Errorf("exit status %d, output %q, error %q, file %q; want %d, %q, %q, %q", exit, out, errs, text, tt.exit, tt.out, tt.errs, tt.text)
			}
			if len(asked.Files) > 0 && asked.Files[0].Text != "second\n" {
				t.Errorf("planned was %+v", asked)
			}
			if tt.args == "-o json" && !json.Valid([]byte(out)) {
				t.Errorf("not JSON: %s", out)
			}
		})
	}
}
