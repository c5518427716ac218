package integration

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"

	"github.com/lvsd/lvsd/integration/cluster"
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
	if _, err := os.Stat(binary); err != nil {
		t.Fatalf("there is no lvsd to test: make build: %v", err)
	}
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
func (p *pair) status(i int) (*director.Status, error) {
	out, err := p.lvsd.Status(context.Background(), p.Directors[i], "-o", "json")
	if err != nil {
		return nil, err
	}
	s := new(director.Status)
	return s, json.Unmarshal([]byte(out), s)
}

// mustStatus is status where the daemon must answer.
func (p *pair) mustStatus(i int) *director.Status {
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

// until waits for a condition, and fails the test where it does not come.
func (p *pair) until(what string, condition func() (bool, error)) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), patience)
	defer cancel()
	err := cluster.Until(ctx, what, func() (bool, error) {
		ok, err := condition()
		if errors.Is(err, netlink.ErrDumpInterrupted) {
			return false, nil // the list changed while it was read: once more
		}
		return ok, err
	})
	if err != nil {
		p.t.Fatal(err)
	}
}

// reload sends SIGHUP to the daemon of director i and waits until it has read
// the configuration.
func (p *pair) reload(i int) *director.Status {
	p.t.Helper()
	before := p.mustStatus(i).Reload.Last
	if err := p.daemons[i].Signal(hangup); err != nil {
		p.t.Fatal(err)
	}
	var s *director.Status
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
	table := director.Plan(c, director.World{
		Standing: func(service, server int) director.Standing {
			if slices.Contains(down, c.Services[service].Servers[server].Name) {
				return director.Down
			}
			return director.Up
		},
		Master: func(string) bool { return true },
		Own:    func(addr) bool { return false },
	})
	return sorted(table.String())
}

// table is the table of director i as ipvsadm saves it.
func (p *pair) table(i int) string {
	p.t.Helper()
	out, err := p.Directors[i].Run(p.t.Context(), "ipvsadm", "-Sn")
	if err != nil {
		p.t.Fatal(err)
	}
	return sorted(out)
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
		return got == want, nil
	}); err != nil {
		p.t.Fatalf("%v of %s:\n%s\nhas:\n%s", err, p.Directors[i].Name, want, got)
	}
	p.checkWitness(i)
}

// checkWitness compares what moby/ipvs reads with what ipvsadm does.
func (p *pair) checkWitness(i int) {
	p.t.Helper()
	var rows []string
	if err := p.Directors[i].In(func() (err error) { rows, err = mobyRows(); return err }); err != nil {
		p.t.Fatal(err)
	}
	if moby, adm := strings.Join(rows, "\n"), weights(p.table(i)); moby != adm {
		p.t.Errorf("moby/ipvs reads\n%s\nbut ipvsadm\n%s", moby, adm)
	}
}

// sorted returns the lines of a text in order.
func sorted(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// weights picks "server weight" out of what ipvsadm saved, in order.
func weights(saved string) string {
	var rows []string
	for line := range strings.Lines(saved) {
		f := strings.Fields(line)
		if len(f) < 5 || f[0] != "-a" {
			continue
		}
		server, weight := "", ""
		for i := range f[:len(f)-1] {
			switch f[i] {
			case "-r":
				server = f[i+1]
			case "-w":
				weight = f[i+1]
			}
		}
		rows = append(rows, fmt.Sprintf("%s %s %s", f[2], server, weight))
	}
	slices.Sort(rows)
	return strings.Join(rows, "\n")
}
