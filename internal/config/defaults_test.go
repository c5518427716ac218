package config_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/config"
)

// What is said once for all services is what every check has that does not say
// otherwise.
func TestDefaultsOfChecks(t *testing.T) {
	page := func(change func(*checker.HTTP)) checker.Spec {
		h := checker.HTTP{Method: "GET", Path: "/health", Status: checker.StatusRanges{{First: 200, Last: 200}}, Body: "ok"}
		change(&h)
		return checker.SpecOf(h)
	}
	const defaults = `
defaults {
  check "http" {
    path = "/health"
    fall = 1
    headers = { accept = "text/html" }
    expect {
      status = [200]
      body = "ok"
    }
  }
  check "*" {
    interval = "500ms"
    rise     = 5
    fall     = 7
  }
  check "ping" { interval = "9s" }
}
`
	accept := []checker.Header{{Name: "accept", Value: "text/html"}}
	for _, tt := range []struct {
		name, check string
		want        checker.Spec
		interval    time.Duration
		timeout     time.Duration
		rise, fall  uint16
	}{
		{"a check that says nothing", `check "http" {}`, page(func(h *checker.HTTP) { h.Headers = accept }), 500 * time.Millisecond, 500 * time.Millisecond, 5, 1},
		{"a check that says one thing", `check "http" { path = "/" }`, page(func(h *checker.HTTP) { h.Headers, h.Path = accept, "/" }), 500 * time.Millisecond, 500 * time.Millisecond, 5, 1},
		{"the timeout follows the interval", `check "http" { interval = "3s" }`, page(func(h *checker.HTTP) { h.Headers = accept }), 3 * time.Second, time.Second, 5, 1},
		{"a block in it that says one thing", `check "http" {
			expect { body = "yes" }
		}`, page(func(h *checker.HTTP) { h.Headers, h.Body = accept, "yes" }), 500 * time.Millisecond, 500 * time.Millisecond, 5, 1},
		{"no headers in place of some", `check "http" { headers = {} }`, page(func(*checker.HTTP) {}), 500 * time.Millisecond, 500 * time.Millisecond, 5, 1},
		{"another kind has what all have", `check "tcp" { rise = 1 }`, checker.SpecOf(checker.TCP{}), 500 * time.Millisecond, 500 * time.Millisecond, 1, 7},
		{"so has the check of a service without any", ``, checker.SpecOf(checker.TCP{}), 500 * time.Millisecond, 500 * time.Millisecond, 5, 7},
		{"a kind before what all have", `check "ping" {}`, checker.SpecOf(checker.Ping{}), 9 * time.Second, time.Second, 5, 7},
		{"no check", `check "none" {}`, "", 0, 0, 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := parsed(t, openService+tt.check+"\n}\n"+defaults)
			var got, want []config.Check
			got = c.Services[0].Servers[0].Checks
			if tt.want != "" {
				target := checker.Target{Spec: tt.want, Addr: c.Services[0].Servers[0].Key.Addr, Port: 80, Interval: tt.interval, Timeout: tt.timeout}
				if tt.want.Kind() == "ping" {
					target.Port = 0
				}
				want = []config.Check{{Target: target, Rise: tt.rise, Fall: tt.fall}}
			}
			if diff := cmp.Diff(fmt.Sprintf("%+v", want), fmt.Sprintf("%+v", got)); diff != "" {
				t.Errorf("checks (-want +got):\n%s", diff)
			}
		})
	}
}

// A service is not parsed again while it is unchanged, but it is if it means
// something else by the defaults, or by a file that they name.
func TestAChangeOfTheDefaultsReachesServicesThatAreKnown(t *testing.T) {
	dir := t.TempDir()
	read := func(defaults string, known map[config.Key][]byte) config.Outcome {
		t.Helper()
		write(t, filepath.Join(dir, "lvsd.hcl"), openService+"check \"http\" {}\n}\n"+defaults)
		s := config.SourcesAt(t, dir)
		out, diags := config.ParseWith(s, config.Options{Node: "lvs1"}, config.Machine{}, known)
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		return out
	}
	write(t, filepath.Join(dir, "path"), "/one")
	known := map[config.Key][]byte{}
	const first = "defaults {\n  check \"http\" { path = file(\"path\") }\n}\n"
	for _, b := range read(first, known).Blocks {
		known[b.Key] = b.Summary
	}
	if b := read("# it has moved\n"+first, known).Blocks[0]; !b.Reused {
		t.Error("nothing has changed, and it is parsed again")
	}
	if b := read(strings.Replace(first, "}", "}\n  check \"ping\" { rise = 1 }\n", 1), known).Blocks[0]; b.Reused {
		t.Error("other defaults, and it is not parsed again")
	}
	write(t, filepath.Join(dir, "path"), "/two")
	if b := read(first, known).Blocks[0]; b.Reused || !strings.Contains(string(b.Services[0].Servers[0].Checks[0].Target.Spec), "/two") {
		t.Error("the file that the defaults name has changed, and it is not parsed again")
	}
}
