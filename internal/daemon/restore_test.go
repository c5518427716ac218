package daemon

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/director"
	"github.com/lvsd/lvsd/internal/state"
)

// contents are the files of a directory with their texts, hidden ones too.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := make(map[string]string)
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil && !e.IsDir() {
			t.Fatal(err)
		}
		all[e.Name()] = string(text)
	}
	return all
}

// "Yesterday it worked. Give me yesterday."
func TestRestore(t *testing.T) {
	for _, tt := range []struct {
		name          string
		now, then     map[string]string
		spoil         string // a directory that is in the way of a rename
		want          map[string]string
		done, refused string
	}{
		{"one of two has changed", map[string]string{"a.hcl": "new", "b.hcl": "b", "keys": "k"}, map[string]string{"a.hcl": "old", "b.hcl": "b"}, "",
			map[string]string{"a.hcl": "old", "b.hcl": "b", "keys": "k"}, "restored a.hcl", ""},
		{"one was deleted", map[string]string{"b.hcl": "b"}, map[string]string{"a.hcl": "old", "b.hcl": "b"}, "",
			map[string]string{"a.hcl": "old", "b.hcl": "b"}, "restored a.hcl", ""},
		{"one is new", map[string]string{"a.hcl": "a", "c.hcl": "c"}, map[string]string{"a.hcl": "a"}, "",
			map[string]string{"a.hcl": "a", "c.hcl.rolled-back": "c"}, "renamed c.hcl to c.hcl.rolled-back, as it was not there", ""},
		{"nothing has changed", map[string]string{"a.hcl": "a"}, map[string]string{"a.hcl": "a"}, "", map[string]string{"a.hcl": "a"}, "", ""},
		{"what is not configuration is not written", map[string]string{"a.hcl": "a"}, map[string]string{"a.hcl": "old", "cron": "evil"}, "", map[string]string{"a.hcl": "a"}, "", "give its place with --config"},
		{"nor what is elsewhere", map[string]string{"a.hcl": "a"}, map[string]string{"a.hcl": "old", "../evil.hcl": "evil"}, "", map[string]string{"a.hcl": "a"}, "", "give its place with --config"},
		{"if the last cannot be done, none is", map[string]string{"a.hcl": "new", "d.hcl": "d"}, map[string]string{"a.hcl": "old", "b.hcl": "b"}, "d.hcl.rolled-back",
			map[string]string{"a.hcl": "new", "d.hcl": "d", "d.hcl.rolled-back": ""}, "", "file exists"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "etc")
			if err := os.Mkdir(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			for name, text := range tt.now {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o604); err != nil {
					t.Fatal(err)
				}
			}
			if tt.spoil != "" {
				if err := os.MkdirAll(filepath.Join(dir, tt.spoil, "full"), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			c := api.Configuration{Number: 41}
			for name, text := range tt.then {
				c.Files = append(c.Files, api.KeptFile{Path: filepath.Clean(filepath.Join(dir, name)), Mode: 0o640, GID: uint32(os.Getegid()), Text: text})
			}
			slices.SortFunc(c.Files, func(a, b api.KeptFile) int { return strings.Compare(a.Path, b.Path) })
			done, err := Restore(dir, c)
			if (err == nil) != (tt.refused == "") || err != nil && !strings.Contains(err.Error(), tt.refused) {
				t.Errorf("error %v, want %q", err, tt.refused)
			}
			if got := strings.ReplaceAll(strings.Join(done, "\n"), dir+"/", ""); got != tt.done {
				t.Errorf("done: %q, want %q", got, tt.done)
			}
			if diff := cmp.Diff(tt.want, contents(t, dir)); diff != "" {
				t.Errorf("the directory (-want +got):\n%s", diff)
			}
			for name := range tt.want {
				info, err := os.Stat(filepath.Join(dir, name))
				if mode := map[bool]os.FileMode{true: 0o604, false: 0o640}[tt.now[strings.TrimSuffix(name, rolledBack)] != ""]; err != nil || info.Mode().IsRegular() && info.Mode().Perm() != mode {
					t.Errorf("%s has the mode %v, %v; want %v", name, info.Mode(), err, mode)
				}
			}
		})
	}
}

// What a daemon keeps is what is listed, and what is put back where the only file was.
func TestHistory(t *testing.T) {
	dir, file := filepath.Join(t.TempDir(), "state"), write(t, "now")
	if _, err := Kept(dir, 0); err == nil || !strings.Contains(err.Error(), "no configuration is kept in "+dir) {
		t.Errorf("without a daemon yet: %v", err)
	}
	store, err := state.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	for _, text := range []string{"first", "second"} {
		if err := saveConfiguration(store, director.SaveConfiguration{At: time.Now(), Digest: text, Files: []api.File{{Name: file, Text: text}}}); err != nil {
			t.Fatal(err)
		}
	}
	all, err := History(dir)
	if err != nil || len(all) != 2 || all[0].Number != 2 || all[0].Files[0].Text != "" || all[0].Files[0].Size != len("second") || all[0].Files[0].Mode != 0o600 {
		t.Errorf("the history is %+v, %v", all, err)
	}
	if c, err := Kept(dir, 0); err != nil || c.Number != 2 {
		t.Errorf("the newest is %+v, %v", c, err)
	}
	if _, err := Kept(dir, 3); err == nil || !strings.Contains(err.Error(), "kept are 2 1") {
		t.Errorf("one that is not kept: %v", err)
	}
	c, err := Kept(dir, 1)
	if err == nil {
		_, err = Restore(file, c)
	}
	if text, _ := os.ReadFile(file); err != nil || string(text) != "first" {
		t.Errorf("the file has %q, %v", text, err)
	}
}
