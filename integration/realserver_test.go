package integration

import (
	"fmt"
	"net/netip"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lvsd/lvsd/integration/cluster"
)

// preparedServices are one for each way on which a packet reaches a real server that has the
// virtual address itself. Nobody checks them.
const preparedServices = `
virtual_router "more" {
  interface       = "eth0"
  id              = 52
  priority        = { lvs1 = 150, lvs2 = 100 }[node.name]
  advert_interval = "100ms"
  addresses       = ["10.13.0.201/24", "10.13.0.202/24", "10.13.0.203/24"]
}

virtual_router "six" {
  interface       = "eth0"
  id              = 56
  priority        = { lvs1 = 150, lvs2 = 100 }[node.name]
  advert_interval = "100ms"
  addresses       = ["fe80::13:200/64", "2001:db8:13::200/64"]

  extra_address "2001:db8:1::254/64" { interface = "eth1" }
  extra_address "2001:db8:2::254/64" { interface = "eth1" }
}
`

// preparedService is one of them.
func preparedService(name, virtual, forward, tunnel string, servers ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "virtual_service %q {\n  address = %q\n  port = 80\n  scheduler = \"rr\"\n  forward = %q\n  %s\n  check \"none\" {}\n", name, virtual, forward, tunnel)
	for i := range servers {
		fmt.Fprintf(&b, "  real_server %q {}\n", servers[i])
	}
	return b.String() + "}\n"
}

// TestRealServersArePreparedByOneCommand: nobody else does anything on them, and nobody
// tells them which of the directors' names is theirs.
func TestRealServersArePreparedByOneCommand(t *testing.T) {
	services := map[string]string{"direct": "10.13.0.200", "ipip": "10.13.0.201", "gue": "10.13.0.202", "gre": "10.13.0.203", "six": "2001:db8:13::200"}
	p := newPair(t, map[string]string{"director.hcl": outside, "web.hcl": preparedServices +
		preparedService("direct", services["direct"], "direct", "", "192.168.1.4", "192.168.2.2") +
		preparedService("ipip", services["ipip"], "tunnel", "", "192.168.1.4", "192.168.2.2") +
		preparedService("gue", services["gue"], "tunnel", "tunnel {\n    type = \"gue\"\n    port = 5555\n  }", "192.168.1.4", "192.168.2.2") +
		preparedService("gre", services["gre"], "tunnel", "tunnel { type = \"gre\" }", "192.168.1.4", "192.168.2.2") +
		preparedService("six", services["six"], "direct", "", "2001:db8:1::4", "2001:db8:2::2")})
	servers := []*cluster.Host{p.Servers[0], p.Servers[2]}
	if out, err := exec.Command("modprobe", "fou").CombinedOutput(); err != nil { // The kernel does not load it by itself.
		t.Fatalf("modprobe fou: %v: %s", err, out)
	}
	// The servers' answers go by way of the director here, which has their source itself.
	p.must(p.Directors[0].Sysctl("net/ipv4/conf/eth1/accept_local", "1"))
	for _, s := range servers {
		_, err := cluster.StartWeb(s)
		p.must(err)
	}
	p.start(0)
	p.waitReady(0)
	p.waitHolder(0, cluster.VIP6)
	p.waitHolder(0, netip.MustParseAddr(services["gre"]))
	for name, virtual := range services {
		if page := cluster.Get(p.Client, netip.AddrPortFrom(netip.MustParseAddr(virtual), 80), 100*time.Millisecond); page.Err == nil {
			t.Errorf("%s is served before the servers are prepared", name)
		}
	}
	before := p.prepared(servers, "up")
	for name, virtual := range services {
		pages := cluster.Requests{}
		for range 8 {
			pages = append(pages, cluster.Get(p.Client, netip.AddrPortFrom(netip.MustParseAddr(virtual), 80), 2*time.Second))
		}
		t.Logf("%s: pages by server: %v", name, pages.ByServer())
		if pages.Failed() > 0 || len(pages.ByServer()) != 2 {
			t.Errorf("%s: %d of %d requests failed: %v", name, pages.Failed(), len(pages), pages.Errors())
		}
	}
	p.prepared(servers, "down")
	for i, s := range servers {
		if after := p.arrangement(s); after != before[i] {
			t.Errorf("%s is not as it was:\n%s\nbefore:\n%s", s.Name, after, before[i])
		}
	}
}

// prepared runs lvsd realserver on real servers, and returns what they were before.
func (p *pair) prepared(servers []*cluster.Host, command string) (before []string) {
	p.t.Helper()
	for _, s := range servers {
		before = append(before, p.arrangement(s))
		args := []string{p.lvsd.Binary, "realserver", command, "--state-dir", filepath.Join(s.Dir, "realserver")}
		if command != "down" {
			args = append(args, "--config", p.config)
		}
		out, err := s.Run(p.t.Context(), args...)
		p.t.Logf("%s: lvsd realserver %s:\n%s", s.Name, command, out)
		if err != nil {
			p.t.Fatalf("%s: %v", s.Name, err)
		}
	}
	return before
}

// arrangement is what a real server has of what lvsd realserver changes, but for devices,
// which come with the kernel's modules.
func (p *pair) arrangement(s *cluster.Host) string {
	p.t.Helper()
	out, err := s.Run(p.t.Context(), "sh", "-c", "ip -o address | grep -v ' gre0 \\| tunl0 \\| gretap0 ' | cut -d' ' -f2-; grep . /proc/sys/net/ipv4/conf/all/arp_ignore /proc/sys/net/ipv4/conf/all/arp_announce /proc/sys/net/ipv4/conf/all/rp_filter; ip -o link show up | cut -d: -f2; ip fou show || true")
	p.must(err)
	return out
}
