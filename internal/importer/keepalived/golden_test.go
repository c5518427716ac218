package keepalived

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/golden"
	"github.com/lvsd/lvsd/internal/importer"
)

// onDisk is the files of this machine.
type onDisk struct{}

func (onDisk) Open(name string) ([]byte, error)      { return os.ReadFile(name) }
func (onDisk) Glob(pattern string) ([]string, error) { return filepath.Glob(pattern) }

// written returns a result as its configuration, and as the list of what was lost.
func written(r importer.Result) (text, losses string) {
	importer.Tidy(r.Blocks)
	var b strings.Builder
	for _, l := range r.Losses {
		fmt.Fprintf(&b, "%s:%d: %s: %s\n\t%s\n", filepath.Base(l.File), l.Line, l.Kind, l.Text, l.Reason)
		if l.Remedy != "" {
			fmt.Fprintf(&b, "\t→ %s\n", l.Remedy)
		}
	}
	for _, f := range r.Files {
		fmt.Fprintf(&b, "file %s\n", f.Name)
	}
	return importer.Write(r.Blocks), b.String()
}

// validate has lvsd read a configuration.
func validate(t *testing.T, r importer.Result, text string) {
	t.Helper()
	dir := t.TempDir()
	for _, f := range r.Files {
		name := filepath.Join(dir, filepath.Base(f.Name))
		if err := os.WriteFile(name, []byte(f.Secret), 0o600); err != nil {
			t.Fatal(err)
		}
		text = strings.ReplaceAll(text, `"`+f.Name+`"`, `"`+name+`"`)
	}
	for _, name := range []string{"client.pem", "client.key"} {
		text = strings.ReplaceAll(text, "/etc/keepalived/"+name, credentials(t))
	}
	s, err := config.FromFiles(dir, config.SourceFile{Name: "lvsd.hcl", Text: []byte(text)})
	if err != nil {
		t.Fatal(err)
	}
	if _, diags := config.Parse(s, config.Options{Node: "lvs1"}); diags.HasErrors() {
		t.Errorf("lvsd refuses it: %v\n%s", diags, text)
	}
}

// credentials returns the path of a certificate with its key.
func credentials(t *testing.T) string {
	t.Helper()
	path, err := filepath.Abs("testdata/client.pem")
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func TestConfigurationsBecomeWhatWasWrittenByHand(t *testing.T) {
	all, err := filepath.Glob("testdata/*.conf")
	if err != nil || len(all) == 0 {
		t.Fatal("no configurations", err)
	}
	for _, name := range all {
		base := strings.TrimSuffix(name, ".conf")
		t.Run(filepath.Base(base), func(t *testing.T) {
			r, err := Import(onDisk{}, name, Options{ID: "lvs1"})
			if err != nil {
				t.Fatal(err)
			}
			list, _, err := Parse(onDisk{}, name, Options{ID: "lvs1"})
			if err != nil {
				t.Fatal(err)
			}
			checkAccounted(t, r, list)
			text, losses := written(r)
			golden.Check(t, base+".hcl", text)
			golden.Check(t, base+".losses", losses)
			validate(t, r, text)
		})
	}
}
