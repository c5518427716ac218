package integration

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lvsd/lvsd/integration/cluster"
)

func TestABrokenConfigurationAtStartAndAtReload(t *testing.T) {
	broken := strings.Replace(web, `"wrr"`, `"wrrr"`, 1)
	p := newPair(t, map[string]string{"director.hcl": outside, "web.hcl": broken})
	p.startWebs()
	t.Run("start: exit 78 with diagnostics, so that systemd does not try again", func(t *testing.T) {
		p.wantExit(t, 78, p.start(0), "web.hcl:5", "wrrr", `Did you mean "wrr"?`)
	})
	t.Run("reload: refused, the old one runs, the gauge is 0", func(t *testing.T) {
		p.write("web.hcl", web)
		p.start(0)
		p.waitReady(0)
		p.waitTable(0)
		p.waitHolder(0, cluster.VIP)
		p.wantMetric(0, "lvsd_config_last_reload_successful 1")
		p.write("web.hcl", broken)
		p.wantRefusal(t, "web.hcl:5")
	})
	t.Run("and a mended one is taken", func(t *testing.T) {
		p.write("web.hcl", web)
		p.wantAccepted(t)
		p.wantMetric(0, "lvsd_config_last_reload_successful 1")
	})
}

// wantExit fails the test unless a daemon ends with that exit status and says
// all of that.
func (p *pair) wantExit(t *testing.T, status int, d *cluster.Process, words ...string) {
	t.Helper()
	select {
	case <-d.Done():
	case <-time.After(patience):
		t.Errorf("%s still runs after %v, want exit status %d", d.Name, patience, status)
		p.kill(d)
		return
	}
	if d.ExitStatus() != status {
		t.Errorf("exit status %d, want %d", d.ExitStatus(), status)
	}
	for _, want := range words {
		if !strings.Contains(d.Log(), want) {
			t.Errorf("the output does not have %q:\n%s", want, d.Log())
		}
	}
}

// wantRefusal reloads the first director's configuration and fails the test
// unless it is refused for that reason, and the old one runs.
func (p *pair) wantRefusal(t *testing.T, reason string) {
	t.Helper()
	before := p.table(0)
	if s := p.reload(0); s.Reload.OK || !strings.Contains(s.Reload.Error, reason) {
		t.Errorf("status says ok %v, %q; want a refusal that says %q", s.Reload.OK, s.Reload.Error, reason)
	}
	if after := p.table(0); after != before {
		t.Errorf("the table changed from\n%s\nto\n%s", before, after)
	}
	p.wantMetric(0, "lvsd_config_last_reload_successful 0")
	if r := cluster.Get(p.Client, vipPort, 2*time.Second); r.Err != nil {
		t.Errorf("the cluster gives no page any more: %v", r.Err)
	}
}

// wantAccepted reloads the first director's configuration and fails the test
// where it is refused.
func (p *pair) wantAccepted(t *testing.T) {
	t.Helper()
	if s := p.reload(0); !s.Reload.OK {
		t.Fatalf("refused: %s", s.Reload.Error)
	}
}

// TestAnUnreadableConfigurationAtStartAndAtReload has files that cannot be
// read by root either, and one that would keep the reader for ever.
func TestAnUnreadableConfigurationAtStartAndAtReload(t *testing.T) {
	p := newPair(t, map[string]string{"director.hcl": outside})
	p.startWebs()
	path := filepath.Join(p.config, "web.hcl")
	unreadable := []struct {
		name   string
		make   func() error
		reason string
	}{
		{"a link to nowhere", func() error { return os.Symlink("gone.hcl", path) }, "web.hcl: no such file"},
		{"a pipe", func() error { return unix.Mkfifo(path, 0o644) }, `web.hcl" is not a regular file`},
	}
	for _, u := range unreadable {
		t.Run("start: exit 1 with a message: "+u.name, func(t *testing.T) {
			p.must(u.make())
			p.wantExit(t, 1, p.start(0), "reading the configuration", u.reason)
			p.must(os.Remove(path))
		})
	}
	p.write("web.hcl", web)
	p.start(0)
	p.waitReady(0)
	p.waitTable(0)
	p.waitHolder(0, cluster.VIP)
	for _, u := range unreadable {
		t.Run("reload: refused: "+u.name, func(t *testing.T) {
			p.must(os.Remove(path))
			p.must(u.make())
			p.wantRefusal(t, u.reason)
		})
	}
	t.Run("reload: refused: the directory is gone", func(t *testing.T) {
		p.must(os.Rename(p.config, p.config+".away"))
		p.wantRefusal(t, "no configuration at "+p.config)
		p.must(os.Rename(p.config+".away", p.config))
	})
	t.Run("and a readable one is taken", func(t *testing.T) {
		p.must(os.Remove(path))
		p.write("web.hcl", web)
		p.wantAccepted(t)
		p.wantMetric(0, "lvsd_config_last_reload_successful 1")
	})
}

// metrics reads /metrics of director i.
func (p *pair) metrics(i int) string {
	p.t.Helper()
	conn := p.dial(p.Directors[i], "127.0.0.1:9112")
	p.must(conn.SetDeadline(time.Now().Add(5 * time.Second)))
	if _, err := fmt.Fprint(conn, "GET /metrics HTTP/1.0\r\nHost: localhost\r\n\r\n"); err != nil {
		p.t.Fatalf("asking %s for its metrics: %v", p.Directors[i].Name, err)
	}
	text, err := io.ReadAll(conn)
	if err != nil {
		p.t.Fatalf("reading the metrics of %s: %v", p.Directors[i].Name, err)
	}
	return string(text)
}

// wantMetric fails the test where the metrics of director i lack a line.
func (p *pair) wantMetric(i int, line string) {
	p.t.Helper()
	if text := p.metrics(i); !strings.Contains(text, "\n"+line+"\n") {
		name, _, _ := strings.Cut(line, " ")
		var have []string
		for l := range strings.Lines(text) {
			if strings.HasPrefix(l, name) {
				have = append(have, l)
			}
		}
		p.t.Errorf("no metric %q, but %q", line, have)
	}
}
