package keepalived

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lvsd/lvsd/internal/golden"
	"github.com/lvsd/lvsd/internal/importer"
	"github.com/lvsd/lvsd/internal/importer/importertest"
)

// onDisk is the files of this machine.
type onDisk struct{}

func (onDisk) Open(name string) ([]byte, error)      { return os.ReadFile(name) }
func (onDisk) Glob(pattern string) ([]string, error) { return filepath.Glob(pattern) }

// validate has lvsd read a configuration, and returns it as it is written in the end.
func validate(t *testing.T, r importer.Result) (text string) {
	t.Helper()
	return importertest.Validate(t, r, "/etc/keepalived/client.pem", credentials(t), "/etc/keepalived/client.key", credentials(t))
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
			_, losses := importertest.Written(r)
			golden.Check(t, base+".losses", losses)
			golden.Check(t, base+".hcl", validate(t, r))
		})
	}
}
