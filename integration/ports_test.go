package integration

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/lvsd/lvsd/integration/cluster"
)

// TestAReloadOfEveryServersPortFailsNoRequest moves all servers to another port
// and back, while the client asks for 50 pages a second. Only requests under way
// may break when a server leaves the table: IPVS drops what comes for it then.
func TestAReloadOfEveryServersPortFailsNoRequest(t *testing.T) {
	p := newPair(t, map[string]string{"director.hcl": outside, "web.hcl": web})
	p.startAlone()
	for _, h := range p.Servers {
		p.servePages(p.listen(h, 8000), func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(h.Name + "\n")) })
	}
	load := cluster.StartLoad(p.Client, vipPort, 50, 3*time.Second)
	const rounds = 4
	for range rounds {
		for _, text := range []string{strings.ReplaceAll(web, "weight  =", "port    = 8000\n    weight  ="), web} {
			p.write("web.hcl", text)
			p.reload(0)
			p.waitTable(0)
		}
	}
	requests := load.Stop()
	broken := requests.Errors()["reading the answer: i/o timeout"]
	t.Logf("%d requests, %d failed, %d of them under way", len(requests), requests.Failed(), broken)
	if requests.Failed() > broken || broken > 2*rounds*underWayAtMost {
		t.Errorf("%d of %d requests failed, want none, and %d under way at most at each reload: %v",
			requests.Failed(), len(requests), underWayAtMost, requests.Errors())
	}
}
