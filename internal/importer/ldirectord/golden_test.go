package ldirectord

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lvsd/lvsd/internal/golden"
	"github.com/lvsd/lvsd/internal/importer"
	"github.com/lvsd/lvsd/internal/importer/importertest"
)

// hosts are what names are resolved to in tests.
var hosts = map[string]string{"shop.example.org": "192.0.2.80", "db1": "192.168.10.11", "db3": "192.168.10.13", "web1": "192.168.6.2", "v6": "2001:db8::7", "sql01": "192.168.10.11", "sql03": "192.168.10.13"}

func resolve(host string, ipv6 bool) (netip.Addr, error) {
	a, err := netip.ParseAddr(hosts[host])
	if err != nil || a.Is6() != ipv6 {
		return a, errors.New("no such host")
	}
	return a, nil
}

// unaccounted returns the lines that neither became anything nor were told.
func unaccounted(source string, r importer.Result) (all []string) {
	accounted := r.Accounted()
	for i, line := range strings.Split(source, "\n") {
		word := strings.TrimSpace(line)
		if word != "" && word[0] != '#' && !accounted[importer.Place{File: "ldirectord.cf", Line: i + 1}] {
			all = append(all, fmt.Sprintf("line %d is dropped silently: %s", i+1, line))
		}
	}
	return all
}

func TestConfigurationsBecomeWhatWasWrittenByHand(t *testing.T) {
	all, err := filepath.Glob("testdata/*.cf")
	if err != nil || len(all) == 0 {
		t.Fatal("no configurations", err)
	}
	for _, name := range all {
		base := strings.TrimSuffix(name, ".cf")
		t.Run(filepath.Base(base), func(t *testing.T) {
			source, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			r, err := Import("ldirectord.cf", source, Options{Resolve: resolve})
			if err != nil {
				t.Fatal(err)
			}
			for _, line := range unaccounted(string(source), r) {
				t.Error(line)
			}
			_, losses := importertest.Written(r)
			golden.Check(t, base+".losses", losses)
			golden.Check(t, base+".hcl", importertest.Validate(t, r))
		})
	}
}
