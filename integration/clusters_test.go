package integration

import (
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lvsd/lvsd/integration/cluster"
)

// TestTheSeedsClusters sets three clusters up as examples/README.md says: the files as they
// are there, lvsd on directors and real servers, nginx, and nothing else.
func TestTheSeedsClusters(t *testing.T) {
	examples := []*example{
		{name: "nat", weights: map[string]int{"web1": 3, "web2": 3, "lvs1": 1}, prepare: "web1 web2"},
		{name: "direct", weights: map[string]int{"lvs1": 3, "lvs2": 1}, prepare: "lvs1 lvs2"},
		{name: "tunnel", weights: map[string]int{"lvs1": 3, "lvs2": 1}, prepare: "lvs1 lvs2"},
	}
	if testing.Short() {
		examples = examples[:2] // TestRealServersArePreparedByOneCommand has IP in IP, too.
	}
	for _, e := range examples { // All of them first: it takes seconds until one is Master.
		e.set(t)
	}
	for _, e := range examples {
		t.Run(e.name, e.test)
	}
}

// An example is a cluster of those in examples.
type example struct {
	name    string
	weights map[string]int // of the hosts that serve
	prepare string         // those that are prepared for that
	*pair
	prepares []*cluster.Host
	before   []string // what they were
}

// serviceOfAll is the service that each of the examples has.
var serviceOfAll = netip.MustParseAddrPort("193.144.50.250:80")

// set sets the cluster up.
func (e *example) set(t *testing.T) {
	p := newExample(t, e.name)
	e.pair = p
	for _, h := range slices.Concat(p.Directors, p.Servers) {
		if e.weights[h.Name] > 0 {
			_, err := cluster.StartWeb(h)
			p.must(err)
		}
		if strings.Contains(e.prepare, h.Name) {
			e.prepares = append(e.prepares, h)
		}
	}
	p.start(0)
	p.start(1)
	e.before = p.prepared(e.prepares, "up")
}

// test has it serve, and be planned, and takes away what was done to the servers.
func (e *example) test(t *testing.T) {
	e.t = t
	// As real servers, both may have the address.
	e.until("lvs1 to be Master, and lvs2 to be ready", func() (bool, error) {
		return strings.Contains(e.daemons[0].Log(), "event=became-master") && strings.Contains(e.daemons[1].Log(), "event=ready"), nil
	})
	e.waitTable(0)
	if plan := e.plan(); plan.Differences {
		t.Errorf("the files are those that run, and the plan has %+v", plan)
	}
	e.wantShares(serviceOfAll, e.weights)
	e.prepared(e.prepares, "down")
	for i, h := range e.prepares {
		if after := e.arrangement(h); after != e.before[i] {
			t.Errorf("%s is not as it was:\n%s\nbefore:\n%s", h.Name, after, e.before[i])
		}
	}
}

// newExample builds a cluster for an example, with the addresses that its hosts have of
// their own.
func newExample(t *testing.T, name string) *pair {
	t.Helper()
	files := make(map[string]string)
	paths, _ := filepath.Glob(filepath.Join("../examples", name, "*.hcl"))
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		files[filepath.Base(path)] = string(text)
	}
	p := newPair(t, files)
	for h, outside := range map[*cluster.Host]string{p.Client: "193.144.50.100/24", p.Directors[0]: "193.144.50.251/24", p.Directors[1]: "193.144.50.252/24"} {
		batch := filepath.Join(h.Dir, "addresses")
		p.must(os.WriteFile(batch, []byte("address flush dev eth0 scope global\naddress add "+outside+" dev eth0\n"), 0o600))
		_, err := h.Run(t.Context(), "ip", "-batch", batch)
		p.must(err)
	}
	for _, s := range p.Servers[:2] {
		_, err := s.Run(t.Context(), "ip", "route", "del", "default")
		p.must(err)
	}
	return p
}

// requests is how many requests show the shares of servers whose weights add up to 4, or
// to 7. With -short there are fewer: in the emulated machine, for the former alone.
func requests() int {
	switch {
	case testing.Short() && cluster.InQEMU():
		return 4
	case testing.Short():
		return 28
	}
	return 700
}

// wantShares fails the test unless each server gives within 2 % of all pages the number that
// is its weight's share. On a machine that has much else to do, a few requests now and then
// go to another server (8 of 700 in one of nine runs, on such a machine alone), so it
// has three tries.
func (p *pair) wantShares(to netip.AddrPort, weights map[string]int) {
	p.t.Helper()
	for range 3 {
		n, sum, fair := requests(), 0, true
		for weight := range maps.Values(weights) {
			sum += weight
		}
		pages := p.ask(to, n)
		shares := pages.ByServer()
		for server, weight := range weights {
			off := float64(shares[server]) - float64(n*weight)/float64(sum)
			fair = fair && max(off, -off) <= .02*float64(n)
		}
		p.t.Logf("%v: of %d pages, %v %v", to, n, shares, pages.Errors())
		if fair {
			return
		}
		time.Sleep(3 * time.Second) // The kernel brings its counters up to date every two.
		p.t.Log(p.run(0, "ipvsadm", "-Ln", "--stats", "--exact"))
	}
	p.t.Errorf("%v: the shares are not those of the weights %v", to, weights)
}

// ask asks for so many pages, a few at a time, unless they do not come.
func (p *pair) ask(to netip.AddrPort, n int) cluster.Requests {
	const atOnce = 4
	answers := make(chan cluster.Requests)
	for range atOnce {
		go func() {
			var pages cluster.Requests
			for i := 0; i < n/atOnce && pages.Failed() < 3; i++ {
				pages = append(pages, cluster.Get(p.Client, to, 5*time.Second))
			}
			answers <- pages
		}()
	}
	var all cluster.Requests
	for range atOnce {
		all = append(all, <-answers...)
	}
	return all
}
