package integration

import (
	"net"
	"net/http"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/lvsd/lvsd/integration/cluster"
	"github.com/lvsd/lvsd/internal/api"
)

// whenAsked are services that are asked other than at their interval: at once where the
// kernel's counters speak against a server, hardly ever where there are no clients, and only by
// the Master.
const whenAsked = `
virtual_service "suspected" {
  address   = "10.13.0.200"
  port      = 80
  scheduler = "rr"
  forward   = "nat"
  suspicion = true
  check "tcp" {
    interval      = "1h"
    fast_interval = "200ms"
    timeout       = "1s"
  }
  real_server "web1" { address = "192.168.1.4" }
  real_server "web2" { address = "192.168.1.5" }
}

virtual_service "idle" {
  address = "10.13.0.200"
  port    = 81
  forward = "nat"
  check "tcp" {
    half_open     = false
    interval      = "100ms"
    idle_interval = "2s"
  }
  real_server "web2" { address = "192.168.1.5" }
}

virtual_service "suspended" {
  address    = "10.13.0.200"
  port       = 82
  forward    = "nat"
  ha_suspend = true
  check "tcp" {
    half_open = false
    interval  = "100ms"
    timeout   = "1s"
    fall      = 1
  }
  real_server "web2" { address = "192.168.1.5" }
}
`

// An asked is a server that counts who connects to it.
type asked struct {
	mu sync.Mutex
	by map[netip.Addr]int
}

// count answers requests by HTTP at a port of a host, and counts connections.
func (p *pair) count(h *cluster.Host, port uint16) *asked {
	a := &asked{by: make(map[netip.Addr]int)}
	p.servePages(counted{p.listen(h, port), a}, func(http.ResponseWriter, *http.Request) {})
	return a
}

// counted is a listener that counts.
type counted struct {
	net.Listener
	*asked
}

func (l counted) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err == nil {
		l.mu.Lock()
		l.by[netip.MustParseAddrPort(conn.RemoteAddr().String()).Addr()]++
		l.mu.Unlock()
	}
	return conn, err
}

// times is how often director i, 0 or 1, has connected.
func (a *asked) times(i int) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.by[[]netip.Addr{netip.MustParseAddr("192.168.1.15"), netip.MustParseAddr("192.168.1.16")}[i]]
}

// service is one of the services of director i.
func (p *pair) service(i int, name string) *api.Service {
	p.t.Helper()
	s := p.mustStatus(i)
	for j := range s.Services {
		if s.Services[j].Name == name {
			return &s.Services[j]
		}
	}
	p.t.Fatalf("%s has no service %q", p.Directors[i].Name, name)
	return nil
}

// TestServersAreAskedWhenItMatters by what the servers see.
func TestServersAreAskedWhenItMatters(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes 15 seconds")
	}
	p := newPair(t, map[string]string{"director.hcl": outside, "web.hcl": whenAsked})
	web1, web2 := p.Servers[0], p.Servers[1]
	for _, h := range []*cluster.Host{web1, web2} {
		p.servePages(p.listen(h, 80), func(http.ResponseWriter, *http.Request) {})
	}
	idle, suspended := p.count(web2, 81), p.count(web2, 82)
	p.startBoth(cluster.VIP)

	// The clients know that a server hangs, and its next check is an hour away.
	p.until("the table", func() (bool, error) { return p.weightsOf(0, "192.168.1.4", "192.168.1.5") == "1 1", nil })
	load := cluster.StartLoad(p.Client, netip.AddrPortFrom(cluster.VIP, 80), 20, 300*time.Millisecond)
	defer load.Stop()
	p.until("both servers to have answered clients", func() (bool, error) {
		n := load.Requests()
		return len(n)-n.Failed() >= 6, nil // by turns
	})
	p.must(web1.Cut("eth0"))

	// The Backup has asked once, and has the server in its table.
	p.until("the Backup to suspend a service", func() (bool, error) { return p.service(1, "suspended").Suspended, nil })
	asleep, awake := suspended.times(1), suspended.times(0)

	p.until("a service without clients to be idle", func() (bool, error) { return p.service(0, "idle").Idle, nil })
	seldom, since := idle.times(0), time.Now()
	p.until("the Master's checks to go on", func() (bool, error) { return suspended.times(0) >= awake+20, nil })
	if n := suspended.times(1) - asleep; n > 1 {
		t.Errorf("a Backup has asked a suspended service %d times more", n)
	}
	// An answer may have been under way when the service became idle.
	if n, most := idle.times(0)-seldom, 2+int(time.Since(since)/(2*time.Second)); n > most {
		t.Errorf("a service without clients was asked %d times, want at most %d", n, most)
	}
	p.until("the first client to be answered", func() (bool, error) {
		return cluster.Get(p.Client, netip.AddrPortFrom(cluster.VIP, 81), time.Second).Err == nil, nil
	})
	// An idle service would be asked eight times before that is given up.
	often := idle.times(0)
	p.until("the service to be asked as often as ever", func() (bool, error) { return idle.times(0) >= often+12, nil })

	// The kernel counts anew every two seconds, so the second look at which nothing has
	// come back is four to six seconds later.
	p.until("the server that hangs to be out of the table", func() (bool, error) { return p.weightsOf(0, "192.168.1.4", "192.168.1.5") == "- 1", nil })
	if n := p.service(0, "suspected").Suspicions; n == 0 {
		t.Error("it is out of the table, and was not suspected")
	}

	p.terminate(0)
	p.until("the new Master to ask", func() (bool, error) { return suspended.times(1) >= asleep+5, nil })
	if p.service(1, "suspended").Suspended {
		t.Error("the new Master has suspended its checks")
	}
}
