package integration

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
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

	"github.com/lvsd/lvsd/integration/cluster"
	"github.com/lvsd/lvsd/internal/api"
)

// manyPackets are services of several ports and protocols with one persistence, and some for
// clients in the servers' own network, of which one has source NAT.
const manyPackets = `
virtual_router "inside" {
  interface       = "eth1"
  id              = 52
  priority        = 150
  advert_interval = "100ms"
  addresses       = ["192.168.1.200/24", "192.168.1.201/24", "192.168.1.202/24"]
}

virtual_router "six" {
  interface       = "eth0"
  id              = 56
  priority        = 150
  advert_interval = "100ms"
  addresses       = ["fe80::13:200/64", "2001:db8:13::200/64"]
  extra_address "2001:db8:1::254/64" { interface = "eth1" }
  extra_address "2001:db8:2::254/64" { interface = "eth1" }
  extra_address "2001:db8:1::200/64" { interface = "eth1" }
  extra_address "2001:db8:1::202/64" { interface = "eth1" }
}

defaults {
  check "tcp" { interval = "500ms" }
}

virtual_service "web" {
  address   = "10.13.0.200"
  ports     = [80, 443]
  scheduler = "rr"
  forward   = "nat"
  persistence {}
  real_server "web1" { address = "192.168.1.4" }
  real_server "web2" { address = "192.168.1.5" }
  real_server "web3" { address = "192.168.2.2" }
}

virtual_service "rtp" {
  address   = "10.13.0.200"
  ports     = ["16384-32767"]
  protocols = ["udp"]
  scheduler = "rr"
  forward   = "nat"
  persistence {}
  check "tcp" { port = 80 }
  real_server "web1" { address = "192.168.1.4" }
  real_server "web2" { address = "192.168.1.5" }
}

virtual_service "web-and-rtp-of-six" {
  address   = "2001:db8:13::200"
  ports     = [80, 443, "16384-32767"]
  protocols = ["tcp", "udp"]
  scheduler = "rr"
  forward   = "nat"
  persistence {}
  check "tcp" { port = 80 }
  real_server "web1" { address = "2001:db8:1::4" }
  real_server "web2" { address = "2001:db8:1::5" }
  real_server "web3" { address = "2001:db8:2::2" }
}

virtual_service "one-arm" {
  address    = "192.168.1.200"
  port       = 80
  scheduler  = "rr"
  forward    = "nat"
  source_nat = "masquerade"
  real_server "web1" { address = "192.168.1.4" }
  real_server "web3" { address = "192.168.2.2" }
}

virtual_service "one-arm by an address" {
  address    = "192.168.1.202"
  port       = 80
  scheduler  = "rr"
  forward    = "nat"
  source_nat = "192.168.1.201"
  real_server "web1" { address = "192.168.1.4" }
  real_server "web3" { address = "192.168.2.2" }
}

virtual_service "one-arm of six" {
  address    = "2001:db8:1::200"
  port       = 80
  scheduler  = "rr"
  forward    = "nat"
  source_nat = "masquerade"
  real_server "web1" { address = "2001:db8:1::4" }
}

virtual_service "one-arm of six by an address" {
  address    = "2001:db8:1::202"
  port       = 80
  scheduler  = "rr"
  forward    = "nat"
  source_nat = "2001:db8:1::200"
  real_server "web1" { address = "2001:db8:1::4" }
}

virtual_service "control" {
  address = "192.168.1.201"
  port    = 80
  forward = "nat"
  real_server "web1" { address = "192.168.1.4" }
}
`

// needNAT skips a test on a kernel whose nftables has no NAT, as user-mode Linux's. Others
// load their modules for it here, and the daemon need not wait for them.
func needNAT(t *testing.T) {
	t.Helper()
	cluster.NeedLab(t)
	const rules = "table inet probe {\n chain c {\n  type nat hook postrouting priority 100;\n  meta mark 1 masquerade\n  snat ip to 192.0.2.1\n }\n}\n"
	out, err := check(rules)
	switch {
	case err == nil:
	case cluster.InQEMU():
		t.Fatalf("NAT of nftables: %v\n%s", err, out)
	default:
		t.Skipf("this kernel has no NAT of nftables: %v\n%s", err, out)
	}
}

// serveTo answers clients on the real servers with the server's name, and with the address
// that it sees.
func (p *pair) serveTo(udp ...uint16) {
	p.t.Helper()
	for _, h := range p.Servers {
		for _, port := range []uint16{80, 443} {
			p.servePages(p.listen(h, port), func(w http.ResponseWriter, r *http.Request) {
				from, _, _ := net.SplitHostPort(r.RemoteAddr)
				fmt.Fprintln(w, h.Name, from)
			})
		}
		for _, port := range udp {
			p.must(h.In(func() error {
				c, err := net.ListenPacket("udp", fmt.Sprintf(":%d", port))
				if err != nil {
					return err
				}
				p.t.Cleanup(func() { _ = c.Close() })
				go func() {
					b := make([]byte, 64)
					for {
						_, from, err := c.ReadFrom(b)
						if err != nil {
							return
						}
						_, _ = c.WriteTo([]byte(h.Name), from)
					}
				}()
				return nil
			}))
		}
	}
}

// asks returns what a server answers to a host that asks from one of its addresses.
func (p *pair) asks(h *cluster.Host, from, network, to string, patience time.Duration) (answer string, err error) {
	var conn net.Conn
	udp := strings.HasPrefix(network, "udp")
	d := net.Dialer{Timeout: patience, LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	if udp {
		d.LocalAddr = &net.UDPAddr{IP: net.ParseIP(from)}
	}
	if from == "" {
		d.LocalAddr = nil
	}
	if err := h.In(func() (err error) {
		conn, err = d.DialContext(context.Background(), network, to)
		return err
	}); err != nil {
		return "", err
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience))
	if _, err := conn.Write([]byte("GET / HTTP/1.0\r\n\r\n")); err != nil {
		return "", err
	}
	b := make([]byte, 1024)
	n := 0
	for n < len(b) {
		more, err := conn.Read(b[n:])
		n += more
		if err != nil && n == 0 {
			return "", err
		}
		if err != nil || udp {
			break
		}
	}
	if _, body, ok := strings.Cut(string(b[:n]), "\r\n\r\n"); ok {
		return strings.TrimSpace(body), nil
	}
	return string(b[:n]), nil
}

// mustAsk is asks where an answer must come.
func (p *pair) mustAsk(h *cluster.Host, from, network, to string) string {
	p.t.Helper()
	answer, err := p.asks(h, from, network, to, 5*time.Second)
	if err != nil {
		p.t.Fatalf("%s asks %s from %q: %v", h.Name, to, from, err)
	}
	return answer
}

// markedPair is a director whose services have marked packets, with servers that answer.
func markedPair(t *testing.T, udp ...uint16) *pair {
	t.Helper()
	needNAT(t)
	p := newPair(t, map[string]string{"director.hcl": outside, "web.hcl": manyPackets})
	p.serveTo(udp...)
	p.start(0)
	p.waitReady(0)
	p.waitHolder(0, cluster.VIP)
	p.waitHolder(0, netip.MustParseAddr("192.168.1.200"))
	// The emulated kernel may take longer for nftables' modules than a start waits.
	p.until("packets to be marked", func() (bool, error) { s := p.mustStatus(0); return s.Rules != nil && s.Rules.Kept, nil })
	return p
}

// TestServicesOfMarkedPackets with traffic: a client stays on its server at all ports, and
// one in the servers' network is served.
func TestServicesOfMarkedPackets(t *testing.T) {
	p := markedPair(t, 16384, 20000, 32767)
	p.waitHolder(0, cluster.VIP6)
	var clients, clients6 []string
	batch := ""
	for i := range 4 {
		clients, clients6 = append(clients, fmt.Sprint("10.13.0.", 101+i)), append(clients6, fmt.Sprint("2001:db8:13::", 101+i))
		batch += fmt.Sprintf("address add %s/24 dev eth0\naddress add %s/64 dev eth0\n", clients[i], clients6[i])
	}
	file := filepath.Join(p.Client.Dir, "clients")
	p.must(os.WriteFile(file, []byte(batch), 0o600))
	p.on(p.Client, "ip", "-batch", file)
	p.wantEachOnOneServer(clients, "10.13.0.200", "80", "443", "80", "443")
	p.wantEachOnOneServer(clients, "10.13.0.200", "16384/udp", "20000/udp", "32767/udp")
	p.wantEachOnOneServer(clients6, "2001:db8:13::200", "80", "443", "16384/udp", "20000/udp", "80", "32767/udp")

	// A client in the servers' network, and in the name of whom the server sees it.
	neighbour := p.Servers[1]
	for _, tt := range []struct{ to, want string }{
		{"192.168.1.200:80", "web1 192.168.1.15, web3 192.168.2.15"},
		{"192.168.1.202:80", "web1 192.168.1.201, web3 192.168.1.201"},
		{"[2001:db8:1::200]:80", "web1 2001:db8:1::15"},
		{"[2001:db8:1::202]:80", "web1 2001:db8:1::200"},
	} {
		got := make(map[string]bool)
		for range 2 {
			got[p.mustAsk(neighbour, "", "tcp", tt.to)] = true
		}
		if all := strings.Join(slices.Sorted(maps.Keys(got)), ", "); all != tt.want {
			t.Errorf("of %s a neighbour of the servers gets %q, want each server to say that it has seen the director: %q", tt.to, all, tt.want)
		}
	}
	if answer, err := p.asks(neighbour, "", "tcp", "192.168.1.201:80", 500*time.Millisecond); err == nil {
		t.Errorf("without source NAT, it gets %q", answer)
	}
}

// wantEachOnOneServer fails the test unless each client is on one server at all ports, and
// more than one server has clients.
func (p *pair) wantEachOnOneServer(clients []string, to string, ports ...string) {
	p.t.Helper()
	used := make(map[string]bool)
	for _, from := range clients {
		servers := make([]string, len(ports))
		for i, port := range ports {
			port, udp := strings.CutSuffix(port, "/udp")
			network := map[bool]string{true: "udp", false: "tcp"}[udp]
			servers[i], _, _ = strings.Cut(p.mustAsk(p.Client, from, network, net.JoinHostPort(to, port)), " ")
		}
		if used[servers[0]] = true; len(slices.Compact(slices.Clone(servers))) > 1 {
			p.t.Errorf("%s is on %v at the ports %v of %s", from, servers, ports, to)
		}
	}
	if len(used) < 2 {
		p.t.Errorf("the clients of %s are all on %v", to, used)
	}
}

// TestRulesForPacketsAreKept when somebody removes them, survive a kill of all processes, and
// go with the last service that needs them, as the kernel's parameter does. Whoever has a
// connection then keeps it.
func TestRulesForPacketsAreKept(t *testing.T) {
	p := markedPair(t)
	p.on(p.Directors[0], "nft", "flush", "ruleset")
	p.untilRules("the rules are made anew", func(s string) bool { return strings.Contains(s, `comment "web"`) })
	p.mustAsk(p.Client, "", "tcp4", "10.13.0.200:443")
	if s := p.mustStatus(0); s.Rules == nil || s.Rules.Repairs != 1 || !s.Rules.Kept {
		t.Errorf("rules %+v, want one repair", s.Rules)
	}

	p.must(p.Directors[0].SignalAll(syscall.SIGKILL))
	<-p.daemons[0].Done()
	p.start(0)
	p.waitReady(0)
	p.mustAsk(p.Client, "", "tcp4", "10.13.0.200:443")
	p.wantUnbroken("without marks", web)
	p.untilRules("no rules are left", func(s string) bool { return !strings.Contains(s, "lvsd-services") })
	p.until("conntrack to be as it was", func() (bool, error) {
		out, err := p.Directors[0].Run(t.Context(), "cat", "/proc/sys/net/ipv4/vs/conntrack")
		return strings.TrimSpace(out) == "0", err
	})
	p.wantUnbroken("with marks again", manyPackets)
	p.waitServed("443")
}

// wantUnbroken reloads a configuration in which the service "web" is another one for the
// kernel, and fails the test if anybody is refused meanwhile, or a connection breaks that is
// open before.
func (p *pair) wantUnbroken(how, config string) {
	p.t.Helper()
	p.waitServed("80")
	h := newHolder(p.dial(p.Client, vipPort.String()))
	before, err := h.page()
	p.must(err)
	p.write("web.hcl", config)
	if plan := p.plan(); plan.Connections > 0 || len(plan.Changes) == 0 {
		p.t.Errorf("%s: the plan cuts %d connections, and changes %+v", how, plan.Connections, plan.Changes)
	}
	refused := p.askUntil()
	p.reload(0)
	p.until("the kernel to have it all", func() (bool, error) {
		out, err := p.Directors[0].Run(p.t.Context(), "ipvsadm", "-Sn")
		return strings.Contains(out, " -w 0"), err
	})
	if err := refused(); err != nil {
		p.t.Errorf("%s: a request failed at the change: %v", how, err)
	}
	if after, err := h.page(); err != nil || after != before {
		p.t.Errorf("%s: the open connection was answered %q, and is now %q, %v", how, before, after, err)
	}
}

// askUntil has the client ask again and again, until it is asked whether it was ever refused.
func (p *pair) askUntil() (refused func() error) {
	over, failed := make(chan struct{}), make(chan error, 1)
	go func() {
		defer close(failed)
		for {
			if _, err := p.asks(p.Client, "", "tcp4", vipPort.String(), 500*time.Millisecond); errors.Is(err, syscall.ECONNREFUSED) {
				failed <- err
				return
			}
			select {
			case <-over:
				return
			default:
			}
		}
	}()
	return func() error { close(over); return <-failed }
}

// TestMarksThatChangeInARow refuse nobody, however far the kernel is with one reload when the
// next one comes, and what their checks say first. The scheduler is always the same: while it
// changes that of a service, the kernel has none for it.
func TestMarksThatChangeInARow(t *testing.T) {
	p := markedPair(t)
	p.waitServed("80")
	r := rand.New(rand.NewPCG(1, 2))
	configs := []string{manyPackets, strings.Replace(web, `"wrr"`, `"rr"`, 1), strings.Replace(manyPackets, "  persistence {}\n", "  marked = false\n", 1),
		strings.Replace(manyPackets, `check "tcp" { interval = "500ms" }`, `check "http" { interval = "500ms" }`, 1)}
	refused := p.askUntil()
	for range 25 {
		p.write("web.hcl", configs[r.IntN(len(configs))])
		p.must(p.daemons[0].Signal(syscall.SIGHUP))
		time.Sleep(time.Duration(r.IntN(1000)) * time.Millisecond)
	}
	p.write("web.hcl", manyPackets)
	p.reload(0)
	p.until("packets to be marked", func() (bool, error) { s := p.mustStatus(0); return s.Rules != nil && s.Rules.Kept, nil })
	if err := refused(); err != nil {
		t.Errorf("a request failed: %v\n%s", err, p.daemons[0].LastWords(60))
	}
	p.waitServed("443")
}

// waitServed waits until a port of the virtual address is served.
func (p *pair) waitServed(port string) {
	p.t.Helper()
	p.until("port "+port+" to be served", func() (bool, error) {
		_, err := p.asks(p.Client, "", "tcp4", "10.13.0.200:"+port, time.Second)
		return err == nil, nil
	})
}

// untilRules waits until the rules of nftables on the first director are as they should be.
func (p *pair) untilRules(what string, are func(rules string) bool) {
	p.t.Helper()
	p.until(what, func() (bool, error) {
		out, err := p.Directors[0].Run(p.t.Context(), "nft", "list", "ruleset")
		return are(out), err
	})
}

// TestWithoutNftables only the services that need it are not served; it is told, counted and
// tried again.
func TestWithoutNftables(t *testing.T) {
	cluster.NeedLab(t)
	if out, err := check("table inet probe {}"); err == nil {
		t.Skip("this kernel has nftables")
	} else {
		t.Logf("this kernel has none: %v: %s", err, out)
	}
	p := newPair(t, map[string]string{"director.hcl": outside, "web.hcl": `
virtual_service "marked" {
  address = "10.13.0.200"
  ports   = [443]
  marked  = true
  forward = "nat"
  real_server "web1" { address = "192.168.1.4" }
}

virtual_service "plain" {
  address = "10.13.0.200"
  ports   = [80, 8080]
  forward = "nat"
  real_server "web1" { address = "192.168.1.4" }
}
`})
	for _, port := range []uint16{80, 443, 8080} {
		p.servePages(p.listen(p.Servers[0], port), func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "web1") })
	}
	p.start(0)
	p.waitReady(0)
	p.waitHolder(0, cluster.VIP)
	for _, port := range []string{"80", "8080"} {
		p.mustAsk(p.Client, "", "tcp4", "10.13.0.200:"+port)
	}
	p.until("the second try", func() (bool, error) {
		s := p.mustStatus(0)
		return s.Rules != nil && s.Rules.Failures > 1, nil
	})
	s := p.mustStatus(0)
	if !slices.ContainsFunc(s.Findings, func(f api.Finding) bool {
		return f.Code == "rules-missing" && strings.Contains(f.Text, "packets of marked are not marked")
	}) || s.Rules.Kept {
		t.Errorf("findings %+v, rules %+v", s.Findings, s.Rules)
	}
}
