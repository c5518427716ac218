package integration

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/lvsd/lvsd/integration/cluster"
)

// TestAReloadOfEveryServersPortFailsNoRequest moves all servers to another port
// and back, while the client asks for 50 pages a second.
func TestAReloadOfEveryServersPortFailsNoRequest(t *testing.T) {
	p := newPair(t, map[string]string{"director.hcl": outside, "web.hcl": web})
	p.startAlone()
	for _, h := range p.Servers {
		p.servePages(p.listen(h, 8000), func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(h.Name + "\n")) })
	}
	load := cluster.StartLoad(p.Client, vipPort, 50, 3*time.Second)
	for range 4 {
		for _, text := range []string{strings.ReplaceAll(web, "weight  =", "port    = 8000\n    weight  ="), web} {
			p.write("web.hcl", text)
			p.reload(0)
			p.waitTable(0)
		}
	}
	requests := load.Stop()
	t.Logf("%d requests, %d failed", len(requests), requests.Failed())
	if requests.Failed() > 0 {
		t.Errorf("%d of %d requests failed: %v", requests.Failed(), len(requests), requests.Errors())
	}
}
