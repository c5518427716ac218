package integration

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lvsd/lvsd/integration/cluster"
)

// slowHealth is how long the servers of startSlowHealth take to answer a
// check: longer than a virtual router at 100 ms adverts takes to become Master.
const slowHealth = 1500 * time.Millisecond

// underWayAtMost is how many requests may break when the address moves. Their
// connections are in the other director, which only a sync of connections would
// mend; pages come at once, so there are few at any time.
const underWayAtMost = 3

// startSlowHealth starts a web server on each real server that answers every
// page at once but /health, which takes its time.
func (p *pair) startSlowHealth() {
	p.t.Helper()
	for _, h := range p.Servers {
		p.servePages(p.listen(h, 80), func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/health" {
				time.Sleep(slowHealth)
			}
			_, _ = w.Write([]byte(h.Name + "\n"))
		})
	}
}

// forget empties director i's table, and what its daemon remembers of it, as
// when the machine boots.
func (p *pair) forget(i int) {
	p.t.Helper()
	p.run(i, "ipvsadm", "-C")
	p.must(os.RemoveAll(filepath.Join(p.Directors[i].Dir, "state")))
}

// waitMoved waits until director i holds the cluster's address, and returns
// two moments between which it came there.
func (p *pair) waitMoved(i int) (before, after time.Time) {
	p.t.Helper()
	before = time.Now()
	p.until("it to take over", func() (bool, error) {
		asked := time.Now()
		held, err := p.Directors[i].Holds(cluster.VIP)
		if !held {
			before = asked
		}
		return held, err
	})
	return before, time.Now()
}

// TestAReturningDirectorLosesNoRequest has a director that boots and would
// preempt the other one long before it knows of any server that is up.
func TestAReturningDirectorLosesNoRequest(t *testing.T) {
	patient := strings.NewReplacer(`"500ms"`, `"5s"`, `"300ms"`, `"4s"`, `check "http" {`, "check \"http\" {\n    path = \"/health\"").Replace(web)
	p := newPair(t, map[string]string{"director.hcl": outside, "web.hcl": patient})
	p.startSlowHealth()
	p.startBoth(cluster.VIP)
	p.waitTable(1)
	p.terminate(0)
	p.waitEnd(0)
	p.waitHolder(1, cluster.VIP)
	p.forget(0)

	load := cluster.StartLoad(p.Client, vipPort, 25, 3*time.Second)
	time.Sleep(500 * time.Millisecond)
	started := time.Now()
	p.start(0)
	before, after := p.waitMoved(0)
	time.Sleep(slowHealth + time.Second)
	requests := load.Stop()
	if took := after.Sub(started); took < slowHealth {
		t.Errorf("it was Master %v after its start, before any check could have had a result", took)
	}
	failed, broken := 0, 0
	for _, r := range requests {
		underWay := r.Begin.Before(after) && r.Begin.Add(r.Took).After(before)
		switch {
		case r.Err == nil:
		case underWay:
			broken++
		default:
			failed++
		}
	}
	t.Logf("it took over %v after its start; %d requests, %d after that; %d failed in all, %v",
		after.Sub(started).Round(time.Millisecond), len(requests), len(requests.Since(after)), requests.Failed(), requests.Errors())
	if failed > 0 || len(requests.Since(after)) < 20 {
		t.Errorf("%d of %d requests failed, %d began after the address had moved, want none and 20 at least: %v",
			failed, len(requests), len(requests.Since(after)), requests.Errors())
	}
	if broken > underWayAtMost {
		t.Errorf("%d requests that were under way when the address moved failed, want at most %d", broken, underWayAtMost)
	}
}
