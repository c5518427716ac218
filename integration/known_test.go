package integration

import (
	"strings"
	"testing"
	"time"

	"github.com/lvsd/lvsd/integration/cluster"
)

// seldom is web with checks so rare that whoever waits for one is noticed.
var seldom = strings.NewReplacer(`"500ms"`, `"30s"`, `"300ms"`, `"1s"`, "check \"http\" {", "check \"http\" {\n    port = 80").Replace(web)

// named is a service with another name and port, and the same servers.
func named(text, name, port string) string {
	return strings.NewReplacer(`"web"`, `"`+name+`"`, "port      = 80\n", "port      = "+port+"\n", "weight  =", "port    = 80\n    weight  =").Replace(text)
}

// TestAServiceWhoseServersAreKnownHasThemAtOnce: what a check has found counts for
// every service that has it, so nobody waits for its next turn.
func TestAServiceWhoseServersAreKnownHasThemAtOnce(t *testing.T) {
	p := newPair(t, map[string]string{"director.hcl": outside, "web.hcl": seldom})
	p.startAlone()
	other := named(seldom, "other", "8080")
	third := "  real_server \"web3\" {\n    address = \"192.168.2.2\"\n    port    = 80\n    weight  = 1\n  }\n"
	if !strings.Contains(other, third) {
		t.Fatal("the third server is written otherwise")
	}
	for _, step := range []struct{ name, text string }{
		{"a service is added", seldom + other},
		{"it has another name", seldom + named(seldom, "renamed", "8080")},
		{"another port", seldom + named(seldom, "renamed", "8081")},
		{"another address", seldom + strings.Replace(named(seldom, "renamed", "8081"), "10.13.0.200", "10.13.0.201", 1)},
		{"a server moves to a new service", seldom + strings.Replace(other, third, "", 1) +
			named(strings.Replace(seldom, seldom[strings.Index(seldom, `  real_server "web1"`):strings.Index(seldom, `  real_server "web3"`)], "", 1), "moved", "8082")},
	} {
		t.Run(step.name, func(t *testing.T) {
			p.write("web.hcl", step.text)
			p.reload(0)
			begin := time.Now()
			p.waitTable(0)
			if took := time.Since(begin); took > 3*time.Second {
				t.Errorf("its servers are in the table after %v, and their checks are known", took)
			}
		})
	}
}

// TestABackupWithoutAnAddressInTheServersNetworkTakesOver: the only address there
// moves with the others, so the Backup cannot check anything before it is Master.
// Its checks are every half minute, and run at once then.
func TestABackupWithoutAnAddressInTheServersNetworkTakesOver(t *testing.T) {
	text := strings.NewReplacer(`"500ms"`, `"30s"`, `"300ms"`, `"1s"`).Replace(web)
	text = text[:strings.Index(text, "  fallback {")] + "}\n"
	p := newPair(t, map[string]string{"director.hcl": strings.Replace(outside, "director {", "director {\n  start_delay = \"1s\"", 1), "web.hcl": text})
	for i := range p.Directors {
		p.run(i, "ip", "-4", "address", "flush", "dev", "eth1")
	}
	// One after the other: a Backup that is Master for a moment at the start checks then,
	// and what comes back too late counts for half a minute.
	p.startAlone()
	p.waitHolder(0, cluster.VIP)
	p.start(1)
	p.waitReady(1)
	load := cluster.StartLoad(p.Client, vipPort, 25, 2*time.Second)
	time.Sleep(time.Second)
	p.terminate(0)
	p.waitHolder(1, cluster.VIP)
	p.waitTable(1)
	time.Sleep(time.Second)
	requests := load.Stop()
	var first, last time.Time
	for _, r := range requests {
		if r.Err == nil {
			continue
		}
		if first.IsZero() || r.Begin.Before(first) {
			first = r.Begin
		}
		if r.Begin.After(last) {
			last = r.Begin
		}
	}
	t.Logf("%d of %d requests failed, within %v", requests.Failed(), len(requests), last.Sub(first).Round(time.Millisecond))
	if d := last.Sub(first); d > 1500*time.Millisecond {
		t.Errorf("requests failed for %v: %v", d, requests.Errors())
	}
}
