package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/lvsd/lvsd/internal/config"
)

const webService = `virtual_service "web" {
  address = "10.13.0.200"
  port    = 80
  forward = "nat"
  real_server "192.168.1.4" {}
}
`

func TestReadDirectoryInOrderWithoutHiddenFilesAndBackups(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "b.hcl"), strings.ReplaceAll(webService, `"web"`, `"second"`))
	write(t, filepath.Join(dir, "a.hcl"), strings.NewReplacer(`"web"`, `"first"`, "80", "81").Replace(webService))
	for _, name := range []string{".a.hcl", ".a.hcl.swp", "a.hcl~", "a.hcl.bak", "#a.hcl#", "README"} {
		write(t, filepath.Join(dir, name), "this is no HCL {")
	}
	if err := os.Mkdir(filepath.Join(dir, "old.hcl"), 0o755); err != nil {
		t.Fatal(err)
	}
	cfg := parse(t, dir, config.Options{Node: "lvs1"})
	if len(cfg.Services) != 2 || cfg.Services[0].Name != "first" || cfg.Services[1].Name != "second" {
		t.Errorf("services: %+v", cfg.Services)
	}
}

func TestReadFollowsLinks(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "web"), webService)
	if err := os.Symlink("web", filepath.Join(dir, "web.hcl")); err != nil {
		t.Fatal(err)
	}
	if cfg := parse(t, dir, config.Options{}); len(cfg.Services) != 1 {
		t.Errorf("services: %+v", cfg.Services)
	}
}

func TestReadRefuses(t *testing.T) {
	dir := t.TempDir()
	for name, prepare := range map[string]struct {
		make func(path string) error
		want string
	}{
		"a missing path":                 {func(string) error { return nil }, "no configuration at"},
		"an empty directory":             {func(p string) error { return os.Mkdir(p, 0o755) }, "has no *.hcl file"},
		"a pipe, which would block":      {func(p string) error { return syscall.Mkfifo(p, 0o600) }, "not a regular file"},
		"a file that fills the memory":   {func(p string) error { return sparse(p, 17<<20) }, "larger than"},
		"a link that leads nowhere":      {func(p string) error { return os.Symlink("nowhere", p) }, "no configuration at"},
		"a directory with a broken link": {brokenLink, "reading the configuration"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(dir, strings.ReplaceAll(name, " ", "-"))
			if err := prepare.make(path); err != nil {
				t.Fatal(err)
			}
			if _, err := config.Read(path); err == nil || !strings.Contains(err.Error(), prepare.want) {
				t.Errorf("error is %v, want %q", err, prepare.want)
			}
		})
	}
}

func sparse(path string, size int64) error {
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		return err
	}
	return os.Truncate(path, size)
}

func brokenLink(path string) error {
	if err := os.Mkdir(path, 0o755); err != nil {
		return err
	}
	return os.Symlink("nowhere", filepath.Join(path, "web.hcl"))
}

// Whoever writes the configuration is not to read every file that the daemon may.
func TestFileReadsBeneathTheConfiguration(t *testing.T) {
	top := t.TempDir()
	dir, other, allowed := filepath.Join(top, "lvsd"), filepath.Join(top, "other"), filepath.Join(top, "allowed")
	for _, d := range []string{filepath.Join(dir, "more"), other, allowed} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(d, "word"), "/word")
	}
	for link, to := range map[string]string{
		filepath.Join(top, "link"): dir, filepath.Join(dir, "in"): "more/word", filepath.Join(dir, "out"): "../other/word",
		filepath.Join(dir, "far"): filepath.Join(other, "word"), filepath.Join(dir, "allowed"): "../allowed",
	} {
		if err := os.Symlink(to, link); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		name, from, file, want string
	}{
		{"a file beneath it", dir, "more/word", ""},
		{"by its whole path", dir, filepath.Join(dir, "more/word"), ""},
		{"through a link that stays there", dir, "in", ""},
		{"of a directory that is a link", filepath.Join(top, "link"), "more/word", ""},
		{"of a directory that is a link, by its true path", filepath.Join(top, "link"), filepath.Join(dir, "more/word"), ""},
		{"in a directory that is allowed", dir, filepath.Join(allowed, "word"), ""},
		{"through a link to one that is allowed", dir, "allowed/word", ""},
		{"beside it", dir, "../other/word", "is not beneath"},
		{"beside it, by its whole path", dir, filepath.Join(other, "word"), "is not beneath"},
		{"through a link that leaves it", dir, "out", "is not beneath"},
		{"through a link that leaves it, by a whole path", dir, "far", "is not beneath"},
		{"a directory with the same beginning", filepath.Join(dir, "mor"), filepath.Join(dir, "more/word"), "is not beneath"},
		{"none that exists", dir, "none", "there is no file \"none\" in "},
		{"a directory", dir, "more", "is not a regular file"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := os.MkdirAll(tt.from, 0o755); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(tt.from, "lvsd.hcl")
			write(t, path, strings.Replace(webService, "real_server", "check \"http\" {\n    path = file(\""+tt.file+"\")\n  }\n  real_server", 1))
			s := config.SourcesAt(t, path)
			_, diags := config.ParseWith(s, config.Options{Node: "lvs1", FileDirs: []string{allowed, "/no/such"}}, config.Machine{}, nil)
			switch err := diags.Err(); {
			case tt.want == "" && err != nil:
				t.Error(err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("error %v, want: %s", err, tt.want)
			}
		})
	}
}

// Whatever a configuration depends on is in its digest, and nothing else.
func TestDigest(t *testing.T) {
	dir := t.TempDir()
	web, text := filepath.Join(dir, "web.hcl"), filepath.Join(dir, "path.txt")
	const uses = "locals {\n  a = env.A\n  b = env[\"B\"]\n  c = file(\"path.txt\")\n}\n"
	write(t, web, uses+webService)
	write(t, text, "/")
	env := map[string]string{"A": "1", "B": "2", "C": "3"}
	o := config.Options{Node: "lvs1", Env: func(k string) (string, bool) { v, ok := env[k]; return v, ok }}
	cfg := parse(t, dir, o)
	o.Files = cfg.Files

	for _, change := range []struct {
		name    string
		do      func()
		changed bool
	}{
		{"nothing", func() {}, false},
		{"a variable that is not used", func() { env["C"] = "4" }, false},
		{"a file touched", func() { write(t, web, uses+webService) }, false},
		{"a file that is not read", func() { write(t, filepath.Join(dir, "web.hcl.bak"), "") }, false},
		{"a comment", func() { write(t, web, uses+webService+"# more") }, true},
		{"another file", func() { write(t, filepath.Join(dir, "more.hcl"), "") }, true},
		{"a file renamed", func() { os.Rename(filepath.Join(dir, "more.hcl"), filepath.Join(dir, "most.hcl")) }, true},
		{"a variable", func() { env["A"] = "2" }, true},
		{"a variable in brackets", func() { env["B"] = "3" }, true},
		{"a variable unset", func() { delete(env, "A") }, true},
		{"a file that file() read", func() { write(t, text, "/other") }, true},
		{"that file removed", func() { os.Remove(text) }, true},
		{"the node: directors that run the same files have the same digest", func() { o.Node = "lvs2" }, false},
	} {
		before := digest(t, dir, o)
		change.do()
		if got := digest(t, dir, o) != before; got != change.changed {
			t.Errorf("%s: changed is %v, want %v", change.name, got, change.changed)
		}
	}
}

func TestDigestOfTheRunningConfiguration(t *testing.T) {
	o := options()
	cfg := parse(t, "testdata/good/everything.hcl", config.Options{Node: o.Node})
	o.Files = cfg.Files
	if got := digest(t, "testdata/good/everything.hcl", o); got != cfg.Digest {
		t.Errorf("digest is %s, want the Config's %s", got, cfg.Digest)
	}
}

func digest(t *testing.T, path string, o config.Options) string {
	t.Helper()
	s := config.SourcesAt(t, path)
	return s.Digest(o)
}

// A reload that changes nothing costs at most 50 ms of processor time for
// 10,000 real servers, whether in one file or in a thousand. The machine may
// be busy, so the best of five counts.
func TestUnchangedReloadIsCheap(t *testing.T) {
	if testing.Short() || raceEnabled {
		t.Skip("writes 1,000 files, and is about time")
	}
	for _, oneFile := range []bool{true, false} {
		path := writeCluster(t, 1000, oneFile)
		best := cpu()
		for range 5 {
			before := cpu()
			digest(t, path, config.Options{Node: "lvs1"})
			best = min(best, cpu()-before)
		}
		t.Logf("one file %v: %v", oneFile, best)
		if best.Milliseconds() > 50 {
			t.Errorf("one file %v: %v of processor time, want at most 50ms", oneFile, best)
		}
	}
}
