package integration

import (
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lvsd/lvsd/integration/cluster"
	"github.com/lvsd/lvsd/internal/api"
)

// limited has two servers that take five connections each, and a spare one.
const limited = `
virtual_service "web" {
  address   = "10.13.0.200"
  port      = 80
  scheduler = "rr"
  forward   = "nat"
  check "tcp" {
    interval = "500ms"
    timeout  = "300ms"
  }
  real_server "web1" {
    address         = "192.168.1.4"
    upper_threshold = 5
  }
  real_server "web2" {
    address         = "192.168.1.5"
    upper_threshold = 5
  }
  fallback {
    address   = "192.168.2.2"
    when_full = true
  }
}
`

// TestAllServersAreFull fills them with connections that stay open, and gives them
// room again. A connection that is reset is forgotten after ten seconds.
func TestAllServersAreFull(t *testing.T) {
	for _, tt := range []struct {
		name, web, code string
		serves          bool
	}{
		{"clients are refused, and that is a finding", strings.Replace(limited, "when_full = true", "", 1), "services-unserved", false},
		{"the fallback serves by option", limited, "fallback-serves", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newPair(t, map[string]string{"director.hcl": outside, "web.hcl": tt.web})
			p.startAlone()
			held := make([]net.Conn, 10)
			for i := range held {
				held[i] = p.dial(p.Client, vipPort.String())
			}
			full := time.Now()
			p.until("the finding", func() (bool, error) {
				s, err := p.status(0)
				return err == nil && slices.ContainsFunc(s.Findings, func(f api.Finding) bool { return f.Code == tt.code && f.Subject == "full" }), err
			})
			t.Logf("found after %v", time.Since(full).Round(10*time.Millisecond))
			if d := time.Since(full); d > 4*time.Second {
				t.Errorf("found after %v", d)
			}
			if !tt.serves {
				if r := cluster.Get(p.Client, vipPort, time.Second); r.Err == nil {
					t.Errorf("%s answers, although it has as many connections as it may", r.Server)
				}
				return
			}
			p.until("the fallback", func() (bool, error) {
				return cluster.Get(p.Client, vipPort, time.Second).Server == "web3", nil
			})
			load := cluster.StartLoad(p.Client, vipPort, 20, time.Second)
			conn := p.dial(p.Client, vipPort.String())
			spare := newHolder(conn)
			if got, err := spare.page(); got != "web3" {
				t.Errorf("%q answers (%v) on a new connection, want the spare server web3", got, err)
			}
			time.Sleep(time.Second)
			requests := load.Stop()
			if by := requests.ByServer(); requests.Failed() > 0 || by["web3"] != len(requests) {
				t.Errorf("of %d requests while all are full: %v by server, errors %v", len(requests), by, requests.Errors())
			}
			for _, c := range held {
				_ = c.(*net.TCPConn).SetLinger(0)
				_ = c.Close()
			}
			p.until("room on the servers", func() (bool, error) {
				server := cluster.Get(p.Client, vipPort, time.Second).Server
				return server == "web1" || server == "web2", nil
			})
			p.until("the fallback to wait", func() (bool, error) {
				s, err := p.status(0)
				return err == nil && !s.Services[0].FallbackServes(), err
			})
			if got, err := spare.page(); got != "web3" {
				t.Errorf("%q answers (%v) on the connection that the spare server has, want that it goes on", got, err)
			}
		})
	}
}
