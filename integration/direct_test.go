package integration

import (
	"strings"
	"testing"
	"time"

	"github.com/lvsd/lvsd/integration/cluster"
)

// both is a service whose real servers are the two directors themselves.
const both = `
virtual_service "both" {
  address   = "10.13.0.200"
  port      = 80
  scheduler = "rr"
  forward   = "direct"
  check "tcp" {
    interval = "500ms"
    timeout  = "300ms"
  }
  real_server "10.13.0.15" {}
  real_server "10.13.0.16" {}
}
`

// serve makes a real server of director i, for packets that come unchanged:
// what is for the virtual address is its own, and it says so to nobody. An
// address on the loopback interface would do that too, but this one is not
// among those by which the tests tell who is Master.
func (p *pair) serve(i int) {
	p.t.Helper()
	d := p.Directors[i]
	p.must(d.Sysctl("net/ipv4/conf/all/arp_ignore", "1"))
	p.must(d.Sysctl("net/ipv4/conf/all/arp_announce", "2"))
	p.run(i, "ip", "route", "add", "local", cluster.VIP.String(), "dev", "lo")
	_, err := cluster.StartWeb(d)
	p.must(err)
}

// unwrap lets director i take what the other one has wrapped, IP in IP.
func (p *pair) unwrap(i int, own, other string) {
	p.t.Helper()
	p.run(i, "ip", "link", "add", "tunnel", "type", "ipip", "local", own, "remote", other)
	p.run(i, "ip", "link", "set", "tunnel", "up")
}

// TestDirectorsThatAreServersThemselves is the seed's cluster: with the
// service in both tables, what the Master hands to the Backup would bounce.
func TestDirectorsThatAreServersThemselves(t *testing.T) {
	for _, forward := range []string{"direct", "tunnel"} {
		t.Run(forward, func(t *testing.T) {
			// That connections are told of makes nothing bounce, either.
			p := newPair(t, map[string]string{"director.hcl": telling, "both.hcl": strings.Replace(both, `"direct"`, `"`+forward+`"`, 1)})
			p.serve(0)
			p.serve(1)
			if forward == "tunnel" {
				p.unwrap(0, "10.13.0.15", "10.13.0.16")
				p.unwrap(1, "10.13.0.16", "10.13.0.15")
			}
			p.startBoth(cluster.VIP)
			p.wantAllPages(t, "both run", 0, 1)
			p.terminate(0)
			p.waitEnd(0)
			p.wantAllPages(t, "the Master was stopped", 1, 0)
		})
	}
}

// wantAllPages fails the test unless the service is in the Master's table
// alone, and its client gets every page, from both.
func (p *pair) wantAllPages(t *testing.T, when string, master, backup int) {
	t.Helper()
	p.waitHolder(master, cluster.VIP)
	p.waitTable(master)
	p.until(p.Directors[backup].Name+" to have an empty table", func() (bool, error) { return p.table(backup) == "", nil })
	pages := cluster.Requests{}
	for range 40 {
		pages = append(pages, cluster.Get(p.Client, vipPort, time.Second))
	}
	by := pages.ByServer()
	t.Logf("%s: pages by server: %v", when, by)
	if pages.Failed() > 0 || by["lvs1"] != 20 || by["lvs2"] != 20 {
		t.Errorf("%s: %d of %d requests failed: %v; pages by server: %v, want 20 of each", when, pages.Failed(), len(pages), pages.Errors(), by)
	}
}
