package integration

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lvsd/lvsd/integration/cluster"
)

// tracked are conditions of which each costs more than the other director has less.
const tracked = `
  track "ping" "client" {
    addresses = ["10.13.0.100"]
    interval  = "100ms"
    timeout   = "1s"
    rise      = 1
    fall      = 2
    weight    = -60
  }
  track "file" "load" {
    path     = "DIR/${node.name}"
    number   = true
    interval = "50ms"
    weight   = -2
  }
  track "exec" "flag" {
    run      = ["/bin/sh", "-c", "test ! -e DIR/flag-${node.name} || { echo the flag is set; sleep 0.01 & exit 3; }"]
    interval = "500ms"
    timeout  = "10s"
    rise     = 1
    fall     = 1
    weight   = -60
  }
  track "process" "sleep" {
    arguments = ["3600", { lvs1 = "0.1", lvs2 = "0.2" }[node.name]]
    minimum   = 0
    maximum   = 1
    interval  = "200ms"
  }
}
`

// "The Master had lost the way to the clients, and stayed Master."
func TestConditionsMoveTheRole(t *testing.T) {
	dir := t.TempDir()
	load := func(n string) {
		if err := os.WriteFile(filepath.Join(dir, "lvs1"), []byte(n), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	load("0")
	router := strings.TrimSuffix(strings.TrimSpace(outside), "}") + strings.ReplaceAll(tracked, "DIR", dir)
	p := newPair(t, map[string]string{"director.hcl": router})
	if err := os.WriteFile(filepath.Join(dir, "lvs2"), []byte("0\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	p.startBoth(cluster.VIP)
	var sleeps []*cluster.Process
	for _, c := range []struct {
		name          string
		breaks, mends func()
		unmet         string // where it makes the director stand back
		priority      uint8
	}{
		{"ping client", func() { p.run(0, "ip", "route", "add", "unreachable", "10.13.0.100") },
			func() { p.run(0, "ip", "route", "del", "unreachable", "10.13.0.100") }, "10.13.0.100: this director has no route to it", 90},
		{"file load", func() { load("30") }, func() { load("1") }, "", 90},
		{"exec flag", func() { must(t, os.WriteFile(filepath.Join(dir, "flag-lvs1"), nil, 0o644)) },
			func() { must(t, os.Remove(filepath.Join(dir, "flag-lvs1"))) }, "/bin/sh exited with status 3: the flag is set", 88},
		{"process sleep", func() {
			for range 2 {
				s, err := p.Directors[0].Start("sleep", "sleep", "3600", "0.1")
				p.must(err)
				sleeps = append(sleeps, s)
			}
		}, func() {
			for _, s := range sleeps {
				p.must(s.Kill())
			}
		}, "processes of sleep that run: 2, and at most 1 may", 148},
	} {
		begin := time.Now()
		c.breaks()
		p.waitHolder(1, cluster.VIP)
		t.Logf("%s is not met: the role has moved after %v", c.name, time.Since(begin).Round(time.Millisecond))
		r := p.mustStatus(0).Routers[0]
		if got := strings.Join(r.Unmet, ", "); got != c.unmet || r.Priority != c.priority {
			t.Errorf("%s: priority %d, want %d; unmet %q, want %q", c.name, r.Priority, c.priority, got, c.unmet)
		}
		c.mends()
		p.waitHolder(0, cluster.VIP)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
