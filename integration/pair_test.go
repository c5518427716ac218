package integration

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/integration/cluster"
	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/director"
)

// patience is how long a test waits for what should be there in a moment.
const patience = 15 * time.Second

// A pair is a cluster whose directors read the same configuration.
type pair struct {
	*cluster.Cluster
	t *testing.T
	// config is the directory with the configuration of both.
	config string
	lvsd   cluster.LVSD
	// daemons are the directors' processes; nil where none was started.
	daemons [2]*cluster.Process
}

// newPair builds a cluster and writes its configuration. No daemon runs yet.
func newPair(t *testing.T, files map[string]string) *pair {
	t.Helper()
	cluster.NeedLab(t)
	binary := cluster.Binary(t)
	c := cluster.Start(t)
	p := &pair{Cluster: c, t: t, config: filepath.Join(c.Dir, "etc")}
	p.lvsd = cluster.LVSD{Binary: binary, Config: p.config}
	p.must(os.Mkdir(p.config, 0o755))
	for name, text := range files {
		p.write(name, text)
	}
	return p
}

// must fails the test on an error.
func (p *pair) must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

// write replaces one file of the configuration.
func (p *pair) write(name, text string) {
	p.t.Helper()
	if err := os.WriteFile(filepath.Join(p.config, name), []byte(text), 0o644); err != nil {
		p.t.Fatal(err)
	}
}

// start starts the daemon of director i, 0 or 1.
func (p *pair) start(i int) *cluster.Process {
	p.t.Helper()
	d, err := p.lvsd.Start(p.Directors[i])
	p.must(err)
	p.daemons[i] = d
	return d
}

// status asks the daemon of director i, as a script would.
func (p *pair) status(i int) (*api.Status, error) {
	out, err := p.lvsd.Status(context.Background(), p.Directors[i], "-o", "json")
	if err != nil {
		return nil, err
	}
	s := new(api.Status)
	return s, json.Unmarshal([]byte(out), s)
}

// mustStatus is status where the daemon must answer.
func (p *pair) mustStatus(i int) *api.Status {
	p.t.Helper()
	s, err := p.status(i)
	if err != nil {
		p.t.Fatal(err)
	}
	return s
}

// waitReady waits until the daemon of director i is ready.
func (p *pair) waitReady(i int) {
	p.t.Helper()
	p.until(p.Directors[i].Name+" to be ready", func() (bool, error) {
		s, err := p.status(i)
		return err == nil && s.Ready, nil
	})
}

// startAlone starts the web servers and the daemon of the first director, and
// waits until its table is the one planned.
func (p *pair) startAlone() (webs []*cluster.Process) {
	p.t.Helper()
	webs = p.startWebs()
	p.start(0)
	p.waitReady(0)
	p.waitTable(0)
	return webs
}

// listen opens a port of a host until the test ends.
func (p *pair) listen(h *cluster.Host, port uint16) (l net.Listener) {
	p.t.Helper()
	p.must(h.In(func() (err error) { l, err = net.Listen("tcp", fmt.Sprintf(":%d", port)); return err }))
	p.t.Cleanup(func() { _ = l.Close() })
	return l
}

// servePages answers HTTP requests until the test ends.
func (p *pair) servePages(l net.Listener, answer http.HandlerFunc) {
	s := &http.Server{Handler: answer, ErrorLog: log.New(io.Discard, "", 0)}
	go func() { _ = s.Serve(l) }()
	p.t.Cleanup(func() { _ = s.Close() })
}

// dial opens a connection from a host until the test ends.
func (p *pair) dial(h *cluster.Host, to string) (conn net.Conn) {
	p.t.Helper()
	p.must(h.In(func() (err error) { conn, err = (&net.Dialer{Timeout: 5 * time.Second}).Dial("tcp", to); return err }))
	p.t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// until waits for a condition, and fails the test where it does not come.
func (p *pair) until(what string, condition func() (bool, error)) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), patience)
	defer cancel()
	p.must(cluster.Until(ctx, what, condition))
}

// reload sends SIGHUP to the daemon of director i and waits until it has read
// the configuration.
func (p *pair) reload(i int) *api.Status {
	p.t.Helper()
	before := p.mustStatus(i).Reload.Last
	p.must(p.daemons[i].Signal(syscall.SIGHUP))
	var s *api.Status
	p.until("the reload", func() (ok bool, err error) {
		s, err = p.status(i)
		return err == nil && s.Reload.Last.After(before), err
	})
	return s
}

// planned is the table that the configuration asks for on director i, when the
// named servers are down, in the words of ipvsadm -Sn.
func (p *pair) planned(i int, down ...string) string {
	p.t.Helper()
	sources, err := config.Read(p.config)
	if err != nil {
		p.t.Fatal(err)
	}
	c, diags := config.Parse(sources, config.Options{Node: p.Directors[i].Name})
	if diags.HasErrors() {
		p.t.Fatal(diags.Err())
	}
	planned := director.Plan(time.Now(), c, director.World{
		Standing: func(service, server int) director.Standing {
			if slices.Contains(down, c.Services[service].Servers[server].Name) {
				return director.Standing{State: checker.Down}
			}
			return director.Standing{State: checker.Up}
		},
		Master: func(string) bool { return true },
		Own:    func(netip.Addr) bool { return false },
	})
	return sorted(strings.Split(strings.TrimSpace(planned.Table.String()), "\n"))
}

// table is the table of director i as ipvsadm saves it.
func (p *pair) table(i int) string {
	p.t.Helper()
	lines, err := cluster.Table(p.t.Context(), p.Directors[i])
	p.must(err)
	return sorted(lines)
}

// undrained is a table without the servers that are not in the wanted one, and keep the
// connections that they have.
func undrained(table, want string) string {
	lines := slices.DeleteFunc(strings.Split(table, "\n"), func(line string) bool {
		return strings.HasSuffix(line, " -w 0") && !strings.Contains(want, line)
	})
	return strings.Join(lines, "\n")
}

// waitTable waits until the table of director i is the one planned, by
// ipvsadm and by moby/ipvs.
func (p *pair) waitTable(i int, down ...string) {
	p.t.Helper()
	want := p.planned(i, down...)
	got := ""
	ctx, cancel := context.WithTimeout(p.t.Context(), patience)
	defer cancel()
	if err := cluster.Until(ctx, "the table", func() (bool, error) {
		got = p.table(i)
		return undrained(got, want) == want, nil
	}); err != nil {
		p.t.Fatalf("%v of %s:\n%s\nhas:\n%s", err, p.Directors[i].Name, want, got)
	}
	p.checkWitness(i)
}
