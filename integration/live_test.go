package integration

import (
	"errors"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lvsd/lvsd/integration/cluster"
)

// names is a service over UDP, whose clients may keep their port.
const names = `
virtual_service "names" {
  address   = "10.13.0.200"
  port      = 5300
  protocol  = "udp"
  scheduler = "rr"
  forward   = "nat"
  check "tcp" {
    port     = 80
    interval = "500ms"
    timeout  = "300ms"
    fall     = 2
    rise     = 1
  }
  real_server "web1" { address = "192.168.1.4" }
  real_server "web2" { address = "192.168.1.5" }
}
`

// expiring is outside with the kernel's parameter set.
var expiring = strings.Replace(outside, "director {", "director {\n  ipvs { expire_nodest_conn = true }", 1)

// answerName answers each packet to a port of a host with the host's name, until
// the test ends.
func (p *pair) answerName(h *cluster.Host, port int) {
	p.t.Helper()
	var conn *net.UDPConn
	p.must(h.In(func() (err error) { conn, err = net.ListenUDP("udp4", &net.UDPAddr{Port: port}); return err }))
	p.t.Cleanup(func() { _ = conn.Close() })
	go func() {
		packet := make([]byte, 100)
		for {
			_, from, err := conn.ReadFromUDP(packet)
			if err != nil {
				return
			}
			_, _ = conn.WriteToUDP([]byte(h.Name), from)
		}
	}()
}

// askName sends a packet and returns who answered within 200 ms; empty: nobody.
func askName(conn net.Conn) string {
	_ = conn.SetDeadline(time.Now().Add(200 * time.Millisecond))
	_, _ = conn.Write([]byte("who"))
	answer := make([]byte, 100)
	n, _ := conn.Read(answer)
	return string(answer[:n])
}

// givesBack fails the test unless a daemon gives the parameter its former value back when
// it stops, although it was another one that had set it, and was killed.
func (p *pair) givesBack() {
	p.t.Helper()
	p.kill(p.daemons[0])
	p.start(0)
	p.waitReady(0)
	p.must(p.daemons[0].Stop(patience))
	got, err := p.Directors[0].Run(p.t.Context(), "cat", "/proc/sys/net/ipv4/vs/expire_nodest_conn")
	p.must(err)
	if strings.TrimSpace(got) != "0" {
		p.t.Errorf("after the end, the parameter is %s", got)
	}
}

// TestAUDPClientThatKeepsItsPort loses its server, whose check fails. Resolvers
// and VoIP clients do that, and the kernel keeps what it knows of such a client
// for five minutes.
func TestAUDPClientThatKeepsItsPort(t *testing.T) {
	for _, tt := range []struct {
		name, director string
		follows        bool
	}{
		{"is sent to another server within seconds", expiring, true},
		{"gets no answer without the option, and that is a finding", outside, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newPair(t, map[string]string{"director.hcl": tt.director, "names.hcl": names})
			webs := p.startAlone()
			for _, h := range p.Servers[:2] {
				p.answerName(h, 5300)
			}
			found := false
			for _, f := range p.mustStatus(0).Findings {
				found = found || f.Code == "udp-clients-stay"
			}
			if found == tt.follows {
				t.Errorf("finding udp-clients-stay: %v, want %v", found, !tt.follows)
			}
			var conn net.Conn
			p.must(p.Client.In(func() (err error) {
				conn, err = (&net.Dialer{LocalAddr: &net.UDPAddr{Port: 40000}}).Dial("udp4", "10.13.0.200:5300")
				return err
			}))
			defer conn.Close()
			first := askName(conn)
			place := map[string]int{"web1": 0, "web2": 1}
			if _, served := place[first]; !served || askName(conn) != first {
				t.Fatalf("%q answers", first)
			}
			p.kill(webs[place[first]])
			p.waitTable(0, first)
			out, second := time.Now(), ""
			for second == "" && time.Since(out) < 5*time.Second {
				second = askName(conn)
			}
			took := time.Since(out)
			t.Logf("answered by %q, %v after its server %s was taken out", second, took.Round(time.Millisecond), first)
			if tt.follows {
				p.givesBack()
			}
			if tt.follows && (second == "" || second == first || took > 2*time.Second) || !tt.follows && second != "" {
				t.Error("not as it should be")
			}
		})
	}
}

// A server that is removed serves its connections on.
func TestARemovedServerServesItsConnectionsOn(t *testing.T) {
	p := newPair(t, map[string]string{"director.hcl": outside, "web.hcl": web})
	p.startAlone()
	holder := p.keepAlive()
	p.write("web.hcl", strings.Replace(web, `"192.168.1.4"`, `"192.168.1.6"`, 1))
	p.wantAccepted(t)
	const row = "-r 192.168.1.4:80 -m -w 0"
	p.until("the server to drain", func() (bool, error) { return strings.Contains(p.table(0), row), nil })
	p.must(holder.ask())
	time.Sleep(4 * time.Second) // for longer than the daemon waits once it has no connection
	p.must(holder.ask())
	if !strings.Contains(p.table(0), row) {
		t.Errorf("it has a connection, and is out of the table:\n%s", p.table(0))
	}
}

// TestWhatBecomesOfLiveConnections holds lvsd(8) to what it says of them.
func TestWhatBecomesOfLiveConnections(t *testing.T) {
	const (
		served = "goes on"
		hangs  = "hangs"
		reset  = "is reset"
	)
	drained := strings.Replace(web, "weight  = 3", "weight  = 0", 1)
	removed := atOnce(strings.Replace(web, `"192.168.1.4"`, `"192.168.1.6"`, 1))
	other := strings.NewReplacer("port      = 80\n", "port      = 81\n", "weight  =", "port    = 80\n    weight  =").Replace(web)
	for _, tt := range []struct {
		name, director, web string
		down                []string
		want                string
	}{
		{"the server's weight becomes 0", outside, drained, nil, served},
		{"the server is removed", outside, removed, []string{"web1"}, hangs},
		{"the service is removed", outside, other, nil, hangs},
		{"the server's weight becomes 0, with the option", expiring, drained, nil, served},
		{"the server is removed, with the option", expiring, removed, []string{"web1"}, reset},
		{"the service is removed, with the option", expiring, other, nil, reset},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newPair(t, map[string]string{"director.hcl": tt.director, "web.hcl": web})
			p.startAlone()
			holder := p.keepAlive()
			p.write("web.hcl", tt.web)
			p.wantAccepted(t)
			p.waitTable(0, tt.down...)
			err := holder.ask()
			got := served
			switch {
			case errors.Is(err, syscall.ECONNRESET):
				got = reset
			case errors.Is(err, os.ErrDeadlineExceeded):
				got = hangs
			case err != nil:
				got = err.Error()
			}
			if got != tt.want {
				t.Errorf("the connection %s (%v), want that it %s", got, err, tt.want)
			}
			if tt.want != hangs {
				return
			}
			p.write("web.hcl", web)
			p.wantAccepted(t)
			p.waitTable(0)
			// The client's TCP repeats itself after as long again as it has waited in all.
			holder.patience = 20 * time.Second
			if err := holder.ask(); err != nil {
				t.Errorf("its server is back, and the connection does not go on: %v", err)
			}
		})
	}
}
