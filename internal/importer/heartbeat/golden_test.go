package heartbeat

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/golden"
	"github.com/lvsd/lvsd/internal/importer"
	"github.com/lvsd/lvsd/internal/importer/importertest"
)

// hosts are what names are resolved to in tests.
var hosts = map[string]string{"lvs2": "10.13.0.12", "alpha": "10.13.0.12", "dns1": "10.13.0.53"}

func resolve(host string, ipv6 bool) (netip.Addr, error) {
	a, err := netip.ParseAddr(hosts[host])
	if err != nil || a.Is6() != ipv6 {
		return a, errors.New("no such host")
	}
	return a, nil
}

// refused returns why lvsd does not take a configuration as one of the nodes; nothing if it does.
func refused(t testing.TB, r importer.Result, nodes []string) string {
	t.Helper()
	folder := t.TempDir()
	text := importer.Write(r.Blocks)
	for _, f := range r.Files {
		path := filepath.Join(folder, filepath.Base(f.Name))
		if err := os.WriteFile(path, []byte(f.Secret), 0o600); err != nil {
			t.Fatal(err)
		}
		text = strings.ReplaceAll(text, `"`+f.Name+`"`, `"`+path+`"`)
	}
	s, err := config.FromFiles(folder, config.SourceFile{Name: "lvsd.hcl", Text: []byte(text)})
	if err != nil {
		t.Fatal(err)
	}
	for _, node := range nodes {
		if _, diags := config.Parse(s, config.Options{Node: node}); diags.HasErrors() {
			return fmt.Sprintf("lvsd refuses it on %s: %v\n%s", node, diags, text)
		}
	}
	return ""
}

// unaccounted returns the lines that neither became anything nor were told.
func unaccounted(files []File, r importer.Result) (all []string) {
	accounted := r.Accounted()
	for _, f := range files {
		for _, l := range lines(f, KindOf(f)) {
			if !accounted[l.Place] { // That of one that goes on is its first.
				all = append(all, fmt.Sprintf("%s:%d is dropped silently: %s", l.File, l.Line, l.text))
			}
		}
	}
	return all
}

// folder reads the files of a folder as those of /etc/ha.d.
func folder(t testing.TB, path string) (files []File) {
	t.Helper()
	for _, name := range []string{"ha.cf", "haresources", "authkeys"} {
		text, err := os.ReadFile(filepath.Join(path, name))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		if err == nil {
			files = append(files, File{Name: name, Text: text})
		}
	}
	return files
}

func TestConfigurationsBecomeWhatWasWrittenByHand(t *testing.T) {
	all, err := filepath.Glob("testdata/*/haresources")
	if err != nil || len(all) == 0 {
		t.Fatal("no configurations", err)
	}
	for _, name := range all {
		base := filepath.Dir(name)
		t.Run(filepath.Base(base), func(t *testing.T) {
			files := folder(t, base)
			r, nodes, err := Import(files, Options{Resolve: resolve})
			if err != nil {
				t.Fatal(err)
			}
			for _, line := range unaccounted(files, r) {
				t.Error(line)
			}
			text, losses := importertest.Written(r)
			golden.Check(t, base+".hcl", text)
			golden.Check(t, base+".losses", losses)
			if strings.Contains(text+losses, "hush") || strings.Contains(text+losses, "secret") {
				t.Error("a secret is told")
			}
			if why := refused(t, r, nodes); why != "" {
				t.Error(why)
			}
		})
	}
}
