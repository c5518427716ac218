package integration

import (
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lvsd/lvsd/integration/cluster"
)

// moreRouters have the virtual addresses of ways, beside "outside".
const moreRouters = `
virtual_router "more" {
  interface       = "eth0"
  id              = 52
  priority        = { lvs1 = 150, lvs2 = 100 }[node.name]
  advert_interval = "100ms"
  addresses       = ["10.13.0.201/24", "10.13.0.202/24", "10.13.0.203/24", "10.13.0.204/24", "10.13.0.205/24", "10.13.0.206/24", "10.13.0.207/24", "10.13.0.208/24", "10.13.0.209/24", "10.13.0.210/24", "10.13.0.211/24"]
}

virtual_router "six" {
  interface       = "eth0"
  id              = 56
  priority        = { lvs1 = 150, lvs2 = 100 }[node.name]
  advert_interval = "100ms"
  addresses       = ["fe80::13:200/64", "2001:db8:13::200/64", "2001:db8:13::201/64", "2001:db8:13::202/64", "2001:db8:13::203/64"]

  extra_address "2001:db8:1::254/64" { interface = "eth1" }
  extra_address "2001:db8:2::254/64" { interface = "eth1" }
}
`

// A way is how a client's packets reach real servers that have the virtual address
// themselves. Their weights are 3 and 1.
type way struct {
	name, virtual, options string
	// six: the servers are known by addresses of IPv6.
	six bool
	// try tries it; nil: each server gets its share of the pages.
	try func(*pair, way)
}

var ways = []way{
	{"direct routing", "10.13.0.200", `forward = "direct"`, false, nil},
	{"IP in IP", "10.13.0.201", `forward = "tunnel"`, false, nil},
	{"GUE", "10.13.0.202", "forward = \"tunnel\"\n  tunnel {\n    type = \"gue\"\n    port = 5555\n  }", false, nil},
	{"GRE", "10.13.0.203", "forward = \"tunnel\"\n  tunnel { type = \"gre\" }", false, nil},
	{"direct routing of IPv6", "2001:db8:13::200", `forward = "direct"`, true, nil},
	{"IPv6 in IPv6", "2001:db8:13::201", `forward = "tunnel"`, true, nil},
	{"IPv6 in IPv4", "2001:db8:13::202", `forward = "tunnel"`, false, nil},
	{"IPv4 in IPv6", "10.13.0.204", `forward = "tunnel"`, true, nil},
	{"persistence", "10.13.0.205", "forward = \"direct\"\n  persistence { timeout = \"60s\" }", false, (*pair).wantOneServer},
	{"UDP, each packet by itself", "10.13.0.206", "forward = \"direct\"\n  protocol = \"udp\"\n  one_packet = true", false, (*pair).wantDatagramsShared},
	{"UDP, each packet by itself, by NAT", "10.13.0.209", "forward = \"nat\"\n  protocol = \"udp\"\n  one_packet = true", false, (*pair).wantStrangers},
	{"UDP over IPv6 with persistence", "2001:db8:13::203", "forward = \"direct\"\n  protocol = \"udp\"\n  persistence { timeout = \"60s\" }", true, (*pair).wantDatagramsOnOneServer},
	{"SCTP", "10.13.0.210", "forward = \"direct\"\n  protocol = \"sctp\"", false, (*pair).wantAssociationsShared},
	{"SCTP by NAT", "10.13.0.211", "forward = \"nat\"\n  protocol = \"sctp\"", false, (*pair).wantAssociationsShared},
}

// markedWays are those that need marks, so a kernel with nftables.
var markedWays = []way{
	{"two ports with one persistence", "10.13.0.207", "forward = \"direct\"\n  ports = [80, 8080]\n  persistence { timeout = \"60s\" }", false, (*pair).wantOneServer},
	{"one-arm NAT", "10.13.0.208", "forward = \"nat\"\n  source_nat = \"masquerade\"", false, nil},
}

// servers are the addresses of a way's.
func (w way) servers() [2]string {
	if w.six {
		return [2]string{"2001:db8:1::4", "2001:db8:2::2"}
	}
	return [2]string{"192.168.1.4", "192.168.2.2"}
}

// address is the service's.
func (w way) address() netip.AddrPort { return netip.AddrPortFrom(netip.MustParseAddr(w.virtual), 80) }

// hcl is its service. Nobody checks the servers.
func (w way) hcl() string {
	port := "port = 80\n  "
	if strings.Contains(w.options, "ports = ") {
		port = ""
	}
	return fmt.Sprintf("virtual_service %q {\n  address = %q\n  %s\n  scheduler = \"wrr\"\n  check \"none\" {}\n  real_server %q { weight = 3 }\n  real_server %q { weight = 1 }\n}\n",
		w.name, w.virtual, port+w.options, w.servers()[0], w.servers()[1])
}

// TestRealServersArePreparedByOneCommand: nobody else does anything on them, and nobody
// tells them which of the directors' names is theirs. Each way to them works then.
func TestRealServersArePreparedByOneCommand(t *testing.T) {
	text, ways := moreRouters, ways
	if cluster.InQEMU() && !testing.Short() { // TestServicesOfMarkedPackets has both in short.
		ways = slices.Concat(ways, markedWays)
	}
	for _, w := range ways {
		text += w.hcl()
	}
	p := newPair(t, map[string]string{"director.hcl": outside, "ways.hcl": text})
	servers := []*cluster.Host{p.Servers[0], p.Servers[2]}
	for _, module := range []string{"fou", "fou6"} { // The kernel does not load them by itself.
		if out, err := exec.Command("modprobe", module).CombinedOutput(); err != nil {
			t.Fatalf("modprobe %s: %v: %s", module, err, out)
		}
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
	p.waitHolder(0, ways[3].address().Addr())
	if page := cluster.Get(p.Client, ways[0].address(), 100*time.Millisecond); page.Err == nil {
		t.Error("they are served before the servers are prepared")
	}
	before := p.prepared(servers, "up")
	for _, w := range ways {
		t.Run(w.name, func(t *testing.T) {
			p := *p
			p.t = t
			if w.try != nil {
				w.try(&p, w)
				return
			}
			p.wantShares(w.address(), map[string]int{"web1": 3, "web3": 1})
		})
	}
	p.prepared(servers, "down")
	for i, s := range servers {
		if after := p.arrangement(s); after != before[i] {
			t.Errorf("%s is not as it was:\n%s\nbefore:\n%s", s.Name, after, before[i])
		}
	}
}

// wantOneServer fails the test unless a client stays with its server, on all ports. Its first
// page comes alone: of connections at one moment, each processor's kernel looks by itself
// whether the client is known.
func (p *pair) wantOneServer(w way) {
	pages := cluster.Requests{cluster.Get(p.Client, w.address(), 5*time.Second)}
	pages = append(pages, p.ask(w.address(), 12)...)
	if strings.Contains(w.options, "8080") {
		for _, h := range []*cluster.Host{p.Servers[0], p.Servers[2]} {
			p.servePages(p.listen(h, 8080), func(out http.ResponseWriter, _ *http.Request) { fmt.Fprintln(out, h.Name) })
		}
		pages = append(pages, p.ask(netip.AddrPortFrom(w.address().Addr(), 8080), 12)...)
	}
	if pages.Failed() > 0 || len(pages.ByServer()) != 1 {
		p.t.Errorf("one client's pages are from %v, %v", pages.ByServer(), pages.Errors())
	}
}

// wantDatagramsShared fails the test unless the datagrams of one socket are shared.
func (p *pair) wantDatagramsShared(w way) {
	for _, h := range []*cluster.Host{p.Servers[0], p.Servers[2]} {
		p.answer(h, w.address().String())
	}
	var conn net.Conn
	p.must(p.Client.In(func() (err error) { conn, err = net.Dial("udp", w.address().String()); return err }))
	defer conn.Close()
	shares := make(map[string]int)
	for range 12 {
		_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
		_, err := conn.Write([]byte("who?"))
		p.must(err)
		name := make([]byte, 16)
		n, err := conn.Read(name)
		p.must(err)
		shares[string(name[:n])]++
	}
	if want := map[string]int{"web1": 9, "web3": 3}; !maps.Equal(shares, want) {
		p.t.Errorf("of one socket's datagrams each server has answered %v, want %v", shares, want)
	}
}

// wantDatagramsOnOneServer fails the test unless the datagrams of all sockets of a client are
// answered by one server.
func (p *pair) wantDatagramsOnOneServer(w way) {
	for _, h := range []*cluster.Host{p.Servers[0], p.Servers[2]} {
		p.answer(h, w.address().String())
	}
	shares := make(map[string]int)
	for range 8 {
		shares[p.mustAsk(p.Client, "", "udp", w.address().String())]++
	}
	if len(shares) != 1 {
		p.t.Errorf("one client's datagrams are answered by %v", shares)
	}
}

// wantStrangers fails the test unless answers come from the servers' own addresses, of which
// a warning of the configuration tells.
func (p *pair) wantStrangers(w way) {
	for i, h := range []*cluster.Host{p.Servers[0], p.Servers[2]} {
		p.answer(h, w.servers()[i]+":80")
	}
	var conn net.PacketConn
	p.must(p.Client.In(func() (err error) { conn, err = net.ListenPacket("udp4", ":0"); return err }))
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
	_, err := conn.WriteTo([]byte("who?"), net.UDPAddrFromAddrPort(w.address()))
	p.must(err)
	_, from, err := conn.ReadFrom(make([]byte, 16))
	if err != nil || from.String() != w.servers()[0]+":80" && from.String() != w.servers()[1]+":80" {
		p.t.Errorf("an answer comes from %v, %v", from, err)
	}
}

// answer has a host answer each datagram to one of its addresses with its name, until the
// test ends.
func (p *pair) answer(h *cluster.Host, at string) {
	p.t.Helper()
	var l net.PacketConn
	p.must(h.In(func() (err error) { l, err = net.ListenPacket("udp", at); return err }))
	p.t.Cleanup(func() { _ = l.Close() })
	go func() {
		question := make([]byte, 64)
		for {
			_, from, err := l.ReadFrom(question)
			if err != nil {
				return
			}
			_, _ = l.WriteTo([]byte(h.Name), from)
		}
	}()
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

// arrangement is what a real server has of what lvsd realserver changes, but for what a
// Master has.
func (p *pair) arrangement(s *cluster.Host) string {
	p.t.Helper()
	batch := filepath.Join(s.Dir, "arrangement")
	p.must(os.WriteFile(batch, []byte("address show\nroute show\nlink show up\nfou show\n"), 0o600))
	out, _ := s.Run(p.t.Context(), "ip", "-o", "-force", "-batch", batch) // Without the module there is no fou.
	var lines []string
	for line := range strings.Lines(out) {
		line, _, _ = strings.Cut(line, " valid_lft ")
		if !strings.Contains(line, " 193.144.50.250/24 ") && !strings.Contains(line, " 192.168.1.254/24 ") {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	p.must(s.In(func() error {
		for _, name := range []string{"arp_ignore", "arp_announce", "rp_filter"} {
			value, err := os.ReadFile("/proc/sys/net/ipv4/conf/all/" + name)
			if err != nil {
				return err
			}
			lines = append(lines, name+" "+strings.TrimSpace(string(value)))
		}
		return nil
	}))
	return strings.Join(lines, "\n")
}
