package integration

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lvsd/lvsd/integration/cluster"
	"github.com/lvsd/lvsd/internal/api"
)

// A misbehaviour is how a real server treats a connection.
type misbehaviour struct {
	name   string
	port   uint16
	serve  func(net.Conn)
	detail string // what the status must say of it
}

// misbehaviours are the ways of servers that a check must see through.
var misbehaviours = []misbehaviour{
	{"accepts and never answers", 8001, func(c net.Conn) { _, _ = c.Read(make([]byte, 1<<20)); time.Sleep(time.Minute) }, "time"},
	{"answers for ever", 8002, answerForEver, "time"},
	{"resets", 8003, func(c net.Conn) { _ = c.(*net.TCPConn).SetLinger(0) }, "reset"},
	{"speaks nonsense", 8004, func(c net.Conn) { _, _ = c.Write([]byte("\x16\x03\x01\x00\xffSSH-2.0 nonsense\r\n\r\n")) }, "HTTP"},
	{"says 503", 8005, func(c net.Conn) { _, _ = c.Write([]byte("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n")) }, "503"},
}

// answerForEver sends a header that has no end, as long as somebody listens.
func answerForEver(c net.Conn) {
	_, err := c.Write([]byte("HTTP/1.1 200 OK\r\n"))
	for i := 0; err == nil && i < 10_000; i++ {
		time.Sleep(10 * time.Millisecond)
		_, err = fmt.Fprintf(c, "X-Endless-%d: yes\r\n", i)
	}
}

// misbehave listens on a host until the test ends.
func (p *pair) misbehave(h *cluster.Host, m misbehaviour) {
	p.t.Helper()
	l := p.listen(h, m.port)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				m.serve(c)
			}()
		}
	}()
}

// TestServersThatMisbehaveAreDownAndDelayNobody has each of them beside one
// that is well.
func TestServersThatMisbehaveAreDownAndDelayNobody(t *testing.T) {
	var b strings.Builder
	b.WriteString("virtual_service \"web\" {\n  address = \"10.13.0.200\"\n  port = 80\n  forward = \"nat\"\n" +
		"  check \"http\" {\n    interval = \"500ms\"\n    timeout = \"300ms\"\n    rise = 1\n    fall = 2\n  }\n" +
		"  real_server \"well\" { address = \"192.168.1.4\" }\n")
	down := []string{}
	for _, m := range misbehaviours {
		fmt.Fprintf(&b, "  real_server %q {\n    address = \"192.168.1.5\"\n    port = %d\n  }\n", m.name, m.port)
		down = append(down, m.name)
	}
	b.WriteString("}\n")
	p := newPair(t, map[string]string{"director.hcl": outside, "web.hcl": b.String()})
	for _, m := range misbehaviours {
		p.misbehave(p.Servers[1], m)
	}
	if _, err := cluster.StartWeb(p.Servers[0]); err != nil {
		t.Fatal(err)
	}
	p.start(0)
	p.waitReady(0)
	p.waitTable(0, down...)
	time.Sleep(3 * time.Second) // several rounds of probes
	p.waitTable(0, down...)
	s := p.mustStatus(0)
	for _, srv := range s.Services[0].Servers {
		t.Logf("%-26s %-5s %v %q", srv.Name, srv.Health, srv.Checks[0].Last.Outcome, srv.Checks[0].Last.Detail)
		if srv.Name == "well" {
			if srv.Health != "up" {
				t.Errorf("the one that is well is %s: %q", srv.Health, srv.Checks[0].Last.Detail)
			}
			continue
		}
		for _, m := range misbehaviours {
			if m.name == srv.Name && !strings.Contains(srv.Checks[0].Last.Detail, m.detail) {
				t.Errorf("%s: detail %q does not mention %q", m.name, srv.Checks[0].Last.Detail, m.detail)
			}
		}
	}
	if s.Probes.InFlight > len(s.Services[0].Servers) {
		t.Errorf("%d probes in flight for %d servers: they pile up", s.Probes.InFlight, len(s.Services[0].Servers))
	}
}

// TestAServerWhoseRepliesTakeAnotherWayIsFound: its checks pass, since they are not
// forwarded. lvsd doctor finds it without any client.
func TestAServerWhoseRepliesTakeAnotherWayIsFound(t *testing.T) {
	p := newPair(t, map[string]string{"director.hcl": outside, "web.hcl": web})
	p.startAlone()
	if e := p.examined(p.Directors[0], "--node", "lvs1")["replies"]; e.State != api.Fine {
		t.Errorf("lvsd doctor, where all answer by the director: %+v", e)
	}
	if _, err := p.Servers[0].Run(t.Context(), "ip", "route", "replace", "default", "via", "192.168.1.5"); err != nil {
		t.Fatal(err)
	}
	if e := p.examined(p.Directors[0], "--node", "lvs1")["replies"]; e.State != api.Wrong || len(e.Findings) != 1 || !strings.Contains(e.Findings[0].Text, "real server 192.168.1.4 ") {
		t.Errorf("lvsd doctor does not name web1 alone: %+v", e)
	}
	load := cluster.StartLoad(p.Client, vipPort, 20, 3*time.Second)
	defer load.Stop()
	p.until("the finding", func() (bool, error) {
		s, err := p.status(0)
		if err != nil {
			return false, err
		}
		for _, f := range s.Findings {
			if f.Code == "replies-missing" {
				if !strings.Contains(f.Text, "web/web1 ") {
					t.Errorf("it names others than web1: %s", f.Text)
				}
				return true, nil
			}
		}
		return false, nil
	})
}

// TestADirectorWithoutARouteSaysSoAndKeepsTheState tells a check that could
// not be run from one that the server failed.
func TestADirectorWithoutARouteSaysSoAndKeepsTheState(t *testing.T) {
	p := newPair(t, map[string]string{"director.hcl": outside, "web.hcl": web})
	p.startAlone()
	p.run(0, "ip", "route", "del", "192.168.2.0/24", "dev", "eth1")
	// The server's network is still this director's by the address that moves.
	p.run(0, "ip", "route", "add", "unreachable", "192.168.2.2/32")
	p.until("a word of the missing route", func() (bool, error) {
		s, err := p.status(0)
		if err != nil {
			return false, err
		}
		last := s.Services[0].Servers[2].Checks[0].Last
		return last.Outcome == api.NotRun, nil
	})
	time.Sleep(3 * time.Second) // more than fall would need
	p.waitTable(0)
}

// TestADirectorThatIsCutOffFromItsServersKeepsThem: the switch in front of them is dead,
// and they are not.
func TestADirectorThatIsCutOffFromItsServersKeepsThem(t *testing.T) {
	p := newPair(t, map[string]string{"director.hcl": outside, "web.hcl": web})
	p.startAlone()
	p.must(p.Directors[0].Deafen("eth1"))
	p.until("a word of the isolation, and the lowest priority", func() (bool, error) {
		s, err := p.status(0)
		return err == nil && s.Routers[0].Priority == 1 && slices.ContainsFunc(s.Findings, func(f api.Finding) bool { return f.Code == "isolated" }), err
	})
	p.until("every check to have failed for long enough", func() (bool, error) {
		s, err := p.status(0)
		if err != nil {
			return false, err
		}
		return !slices.ContainsFunc(s.Services[0].Servers, func(srv api.Server) bool { return srv.Health != api.Down || srv.DecidedBy != api.ByIsolation }), nil
	})
	p.until("the role to have been offered, and kept", func() (bool, error) {
		return strings.Contains(p.daemons[0].Log(), "event=isolation-offered router=outside outcome=declined"), nil
	})
	p.waitTable(0)
	p.waitHolder(0, cluster.VIP)
	p.must(p.Directors[0].Hear("eth1"))
	p.until("every server to be up again, without one having left", func() (bool, error) {
		p.waitTable(0)
		s, err := p.status(0)
		if err != nil {
			return false, err
		}
		return !slices.ContainsFunc(s.Services[0].Servers, func(srv api.Server) bool { return srv.Health != api.Up }), nil
	})
}

// TestADirectorThatIsCutOffHandsOverToOneThatDoesNotPreempt: a low priority alone moves
// nothing then, so it offers its role, and goes on as Master where nobody takes it.
func TestADirectorThatIsCutOffHandsOverToOneThatDoesNotPreempt(t *testing.T) {
	lazy := strings.Replace(outside, "  advert_interval", "  preempt         = false\n  advert_interval", 1)
	p := newPair(t, map[string]string{"director.hcl": lazy, "web.hcl": web})
	p.startAlone()
	p.waitHolder(0, cluster.VIP)
	p.start(1)
	p.waitBackup(1)
	p.waitTable(1)
	p.must(p.Directors[0].Deafen("eth1"))
	p.waitHolder(1, cluster.VIP)
	for i := range p.Directors {
		p.waitTable(i)
	}
	p.must(p.Directors[0].Hear("eth1"))
	p.until("the first to see the servers again", func() (bool, error) {
		s, err := p.status(0)
		return err == nil && !slices.ContainsFunc(s.Services[0].Servers, func(srv api.Server) bool { return srv.Health != api.Up }), err
	})
	p.waitHolder(1, cluster.VIP) // which does not preempt
}
