package integration

import (
	"bufio"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestAReloadWritesWhatChangedAndNothingElse(t *testing.T) {
	p := newPair(t, map[string]string{"director.hcl": outside, "web.hcl": web})
	p.startAlone()
	holder := p.keepAlive()
	tap := p.tap(0)
	tap.writes(t)
	for _, tt := range []struct {
		name string
		web  string
		want map[string]int
		down []string
	}{
		{"nothing", web, map[string]int{}, nil},
		{"a comment", "# a comment\n" + web, map[string]int{}, nil},
		{"one weight: exactly one write", strings.Replace(web, "weight  = 1", "weight  = 2", 1), map[string]int{"set dest": 1}, nil},
		{"the scheduler", strings.Replace(web, `"wrr"`, `"wlc"`, 1), map[string]int{"set service": 1, "set dest": 1}, nil},
		{"a server leaves", atOnce(strings.Replace(web, "192.168.2.2", "192.168.2.3", 1)), map[string]int{"set service": 1, "del dest": 1}, []string{"web3"}},
		{"and comes back", web, map[string]int{"new dest": 1}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p.write("web.hcl", tt.web)
			p.wantAccepted(t)
			p.waitTable(0, tt.down...)
			wantWrites(t, tap, tt.want, holder)
		})
	}
}

// atOnce is a service by NAT whose servers keep no connections when they are removed.
func atOnce(text string) string {
	return strings.Replace(text, `"nat"`, "\"nat\"\n  drain_timeout = \"0s\"", 1)
}

// wantWrites fails the test unless the table was written in just that way, and
// the connection to an untouched server lives.
func wantWrites(t *testing.T, tap *netlinkTap, want map[string]int, h *holder) {
	t.Helper()
	if got := tap.writes(t); !maps.Equal(got, want) {
		t.Errorf("wrote %v, want %v", got, want)
	}
	if err := h.ask(); err != nil {
		t.Errorf("the connection to an untouched server did not survive: %v", err)
	}
}

// A holder is a client that keeps one connection to web1 open.
type holder struct {
	conn     net.Conn
	reader   *bufio.Reader
	patience time.Duration // with an answer
}

func newHolder(conn net.Conn) *holder { return &holder{conn, bufio.NewReader(conn), 2 * time.Second} }

// keepAlive opens connections through the cluster until one is to web1, which
// no test touches.
func (p *pair) keepAlive() *holder {
	p.t.Helper()
	for range 20 {
		conn := p.dial(p.Client, vipPort.String())
		if h := newHolder(conn); h.ask() == nil {
			return h
		}
	}
	p.t.Fatal("no connection of 20 came to web1")
	return nil
}

// ask gets a page by the connection, which must come from web1.
func (h *holder) ask() error {
	page, err := h.page()
	if err == nil && page != "web1" {
		err = fmt.Errorf("answer %q", page)
	}
	return err
}

// page gets a page by the connection: the name of the server.
func (h *holder) page() (string, error) {
	if err := h.conn.SetDeadline(time.Now().Add(h.patience)); err != nil {
		return "", err
	}
	if _, err := fmt.Fprint(h.conn, "GET / HTTP/1.1\r\nHost: web\r\n\r\n"); err != nil {
		return "", err
	}
	r, err := http.ReadResponse(h.reader, nil)
	if err != nil {
		return "", err
	}
	defer r.Body.Close()
	page, err := bufio.NewReader(r.Body).ReadString('\n')
	return strings.TrimSpace(page), err
}

// dns is a service in a file of its own, with servers that nobody checks.
const dns = `
virtual_service "dns" {
  address  = "10.13.0.200"
  port     = 53
  protocol = "udp"
  forward  = "nat"
  check "none" {}
  real_server "192.168.1.4" {}
  real_server "192.168.1.5" { weight = 2 }
}
`

func TestAFileThatComesAddsAServiceAndOneThatGoesRemovesIt(t *testing.T) {
	p := newPair(t, map[string]string{"director.hcl": outside, "web.hcl": web})
	p.startAlone()
	alone := p.table(0)
	holder := p.keepAlive()
	tap := p.tap(0)
	tap.writes(t)
	for _, step := range []struct {
		name string
		do   func()
		want map[string]int
	}{
		{"it comes", func() { p.write("dns.hcl", dns) }, map[string]int{"new service": 1, "new dest": 2}},
		{"it goes", func() { p.must(os.Remove(filepath.Join(p.config, "dns.hcl"))) }, map[string]int{"del service": 1}},
	} {
		t.Run(step.name, func(t *testing.T) {
			step.do()
			p.wantAccepted(t)
			p.waitTable(0)
			wantWrites(t, tap, step.want, holder)
		})
	}
	if got := p.table(0); got != alone {
		t.Errorf("the table is\n%s\nand was, before the file came,\n%s", got, alone)
	}
}
