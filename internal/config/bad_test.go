package config_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/golden"
	"github.com/lvsd/lvsd/vrrp"
)

// options are the first director of the pair, as the fixtures expect it.
func options() config.Options {
	return config.Options{
		Node: "lvs1",
		Env: func(name string) (string, bool) {
			v, ok := map[string]string{"INSIDE": "eth1"}[name]
			return v, ok
		},
	}
}

// machine is that director.
func machine() config.Machine {
	here := append(on("eth0", "10.13.0.15/24", "10.13.0.200/24"), on("eth1", "192.168.1.251/24")...)
	return config.Machine{
		Addresses:  here,
		Interfaces: []string{"lo", "eth0", "eth1"},
		Program: func(path string) error {
			if path == "/etc/lvsd/hooks/absent" {
				return errors.New(path + " does not exist: create it, or correct the path")
			}
			return nil
		},
		Processors: "0-3",
		NoUsers:    true, NoWatchdog: true, Unsynchronized: true,
	}
}

// on are addresses on an interface.
func on(name string, prefixes ...string) (all []vrrp.InterfaceAddress) {
	for _, p := range prefixes {
		all = append(all, vrrp.InterfaceAddress{Interface: name, Prefix: netip.MustParsePrefix(p)})
	}
	return all
}

// marker is how a fixture says on a line what is wrong there.
var marker = regexp.MustCompile(`# (ERROR|WARNING): ([^#]+)`)

// marked lists what a fixture says of itself: "3 error Unknown scheduler".
func marked(t *testing.T, path string) (want []string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(bytes.NewReader(text))
	for n := 1; lines.Scan(); n++ {
		for _, m := range marker.FindAllStringSubmatch(lines.Text(), -1) {
			want = append(want, fmt.Sprintf("%d %s %s", n, strings.ToLower(m[1]), strings.TrimSpace(m[2])))
		}
	}
	slices.Sort(want)
	return want
}

// Each file has a mistake, and says itself which one on which line; nothing
// else may be reported.
func TestMistakes(t *testing.T) {
	files, err := filepath.Glob("testdata/bad/*.hcl")
	if err != nil || len(files) == 0 {
		t.Fatalf("no fixtures: %v", err)
	}
	var all bytes.Buffer
	for _, path := range files {
		t.Run(filepath.Base(path), func(t *testing.T) {
			s := config.SourcesAt(t, path)
			out, diags := config.ParseWith(s, options(), machine(), nil)
			cfg := out.Complete(nil)
			if (cfg == nil) != diags.HasErrors() {
				t.Errorf("Config is %v, HasErrors is %v", cfg, diags.HasErrors())
			}
			var got []string
			for _, d := range diags {
				got = append(got, fmt.Sprintf("%d %s %s", d.Line, d.Severity, d.Summary))
				if d.Detail == "" || d.File != path || d.Source == "" {
					t.Errorf("incomplete: %+v", d)
				}
			}
			slices.Sort(got)
			if diff := cmp.Diff(marked(t, path), got); diff != "" {
				t.Errorf("mistakes (-want +got):\n%s", diff)
			}
			fmt.Fprintf(&all, "==== %s\n", filepath.Base(path))
			diags.Render(&all, 100, false)
		})
	}
	golden.Check(t, "testdata/mistakes.golden", all.Bytes())
}
