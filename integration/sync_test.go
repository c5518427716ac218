package integration

import (
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/lvsd/lvsd/integration/cluster"
)

// echoes is a service whose servers send back what they get.
const echoes = `
virtual_service "echoes" {
  address   = "10.13.0.200"
  port      = 5300
  scheduler = "rr"
  forward   = "nat"
  check "tcp" { interval = "500ms" }
  real_server "web1" { address = "192.168.1.4" }
  real_server "web2" { address = "192.168.1.5" }
}
`

// telling is outside with connections that the directors tell each other of.
var telling = strings.Replace(outside, "director {", `director {
  connection_sync {
    router    = "outside"
    interface = "eth1"
    refresh   = "1s"
  }`, 1)

// echo sends back what each connection to a port of a host brings, until the test ends.
func (p *pair) echo(h *cluster.Host, port uint16) {
	l := p.listen(h, port)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			p.t.Cleanup(func() { _ = conn.Close() })
			// A connection that is spliced to itself would take two more descriptors.
			go func() { _, _ = io.Copy(struct{ io.Writer }{conn}, struct{ io.Reader }{conn}) }()
		}
	}()
}

// converse sends some bytes and returns why they did not come back.
func converse(conn net.Conn, times int, patience time.Duration) error {
	_ = conn.SetDeadline(time.Now().Add(patience))
	for range times {
		if _, err := conn.Write([]byte("still there?")); err != nil {
			return err
		}
		if _, err := io.ReadFull(conn, make([]byte, 12)); err != nil {
			return err
		}
	}
	return nil
}

// directly is echoes by direct routing, to servers in the clients' network.
var directly = strings.NewReplacer(`"nat"`, `"direct"`, "192.168.1.4", "10.13.0.24", "192.168.1.5", "10.13.0.25").Replace(echoes)

// bypass lets the servers answer clients without the director.
func (p *pair) bypass() {
	p.t.Helper()
	for i, prefix := range []string{"10.13.0.24/24", "10.13.0.25/24"} {
		h := p.Servers[i]
		p.must(p.Outside(h, prefix))
		p.must(h.Sysctl("net/ipv4/conf/all/arp_ignore", "1"))
		p.must(h.Sysctl("net/ipv4/conf/all/arp_announce", "2"))
		_, err := h.Run(p.t.Context(), "ip", "address", "add", "10.13.0.200/32", "dev", "lo")
		p.must(err)
	}
}

// A connection of which the Backup was told goes on when the Master's link is cut, when it
// returns, is stopped properly and started again, and when all its processes die.
func TestAConnectionSurvivesMoves(t *testing.T) {
	for _, tt := range []struct {
		name, director, service string
		survives                bool
	}{
		{"by NAT", telling, echoes, true},
		{"by direct routing", telling, directly, true},
		{"without connection_sync it is reset", outside, echoes, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newPair(t, map[string]string{"director.hcl": tt.director, "echoes.hcl": tt.service})
			if tt.service == directly {
				p.bypass()
			}
			p.echo(p.Servers[0], 5300)
			p.echo(p.Servers[1], 5300)
			p.startBoth(cluster.VIP)
			conn := p.dial(p.Client, "10.13.0.200:5300")
			p.must(converse(conn, 5, patience))
			if tt.survives {
				p.waitSynced()
			}
			moved := func(what string, to int, happen error) {
				t.Helper()
				p.must(happen)
				p.waitHolder(to, cluster.VIP)
				if err := converse(conn, 5, patience); (err == nil) != tt.survives {
					t.Fatalf("%s: %v", what, err)
				}
			}
			if tt.service == echoes && tt.survives {
				moved("the Master's link is cut", 1, p.Directors[0].Cut("eth0"))
				moved("it is back", 0, p.Directors[0].Restore("eth0"))
				moved("the Master is stopped", 1, p.daemons[0].Stop(patience))
				p.start(0)
				moved("it is started again", 0, nil)
			}
			moved("its processes are killed", 1, p.Directors[0].SignalAll(syscall.SIGKILL))
		})
	}
}

// waitSynced waits until each director has the sync daemon of its role, and the Backup knows of
// a connection to the echoes.
func (p *pair) waitSynced() {
	p.t.Helper()
	for i, role := range []string{"master", "backup"} {
		p.until(p.Directors[i].Name+" to have a sync daemon as "+role, func() (bool, error) {
			out, err := p.Directors[i].Run(p.t.Context(), "ipvsadm", "-l", "--daemon")
			return strings.Contains(out, role+" sync daemon (mcast=eth1, syncid=1") && strings.Count(out, "sync daemon") == 1, err
		})
	}
	p.until("the Backup to be told", func() (bool, error) {
		out, err := p.Directors[1].Run(p.t.Context(), "cat", "/proc/net/ip_vs_conn")
		return strings.Contains(out, "14B4") && strings.Contains(out, "ESTABLISHED"), err // port 5300
	})
}

// A director that returns without connections is told of those that have no packets, too,
// before it preempts.
func TestIdleConnectionsSurviveTheReturnOfADirector(t *testing.T) {
	for _, tt := range []struct {
		name, refresh string
		survive       bool
	}{
		{"the Master tells of all", "1s", true},
		{"the kernel alone does not", "0s", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newPair(t, map[string]string{"echoes.hcl": echoes,
				"director.hcl": strings.Replace(telling, `"1s"`, strconv.Quote(tt.refresh), 1)})
			p.echo(p.Servers[0], 5300)
			p.echo(p.Servers[1], 5300)
			p.start(1)
			p.waitHolder(1, cluster.VIP)
			var idle []net.Conn
			for range 50 {
				idle = append(idle, p.dial(p.Client, "10.13.0.200:5300"))
			}
			for _, conn := range idle {
				p.must(converse(conn, 1, patience))
			}
			p.start(0)
			p.waitHolder(0, cluster.VIP)
			alive := 0
			for _, conn := range idle {
				if converse(conn, 1, 2*time.Second) == nil {
					alive++
				} else if tt.survive {
					break
				}
			}
			t.Logf("%d of %d connections have survived", alive, len(idle))
			if told := strings.Contains(p.daemons[0].Log(), "event=connections-learned"); told != tt.survive {
				t.Errorf("it has heard that it was told of all: %v", told)
			}
			if want := map[bool]int{true: len(idle)}[tt.survive]; alive != want {
				t.Errorf("want %d", want)
			}
		})
	}
}

// clingy is a service whose clients stay with their server.
const clingy = `
virtual_service "clingy" {
  address   = "10.13.0.200"
  port      = 80
  scheduler = "rr"
  forward   = "nat"
  check "tcp" { interval = "500ms" }
  persistence { timeout = "300s" }
  real_server "web1" { address = "192.168.1.4" }
  real_server "web2" { address = "192.168.1.5" }
}
`

// A crowd are clients that have been served.
type crowd struct {
	*pair
	idle []net.Conn
	// servers are those of the persistent clients, by address.
	servers map[string]string
}

// newCrowd has so many connections opened to the echoes, and so many persistent clients
// served, each with an address of its own.
func newCrowd(p *pair, connections, clients int) *crowd {
	c := &crowd{pair: p, servers: make(map[string]string)}
	for range connections {
		c.idle = append(c.idle, p.dial(p.Client, "10.13.0.200:5300"))
	}
	for n := range clients {
		c.servers["10.13.0."+strconv.Itoa(100+n)] = ""
	}
	for address := range c.servers {
		_, err := p.Client.Run(p.t.Context(), "ip", "address", "replace", address+"/24", "dev", "eth0")
		p.must(err)
	}
	for address := range c.servers {
		name, err := c.visit(address)
		p.must(err)
		c.servers[address] = name
	}
	return c
}

// visit has a persistent client served, and returns by whom.
func (c *crowd) visit(address string) (server string, err error) {
	var conn net.Conn
	err = c.Client.In(func() (err error) {
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}, Timeout: 2 * time.Second}
		conn, err = d.Dial("tcp", "10.13.0.200:80")
		return err
	})
	if err != nil {
		return "", err
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
	name, err := io.ReadAll(conn)
	return string(name), err
}

// greet has a host tell its name to each connection to a port, until the test ends.
func (p *pair) greet(h *cluster.Host, port uint16) {
	l := p.listen(h, port)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(conn, h.Name)
			_ = conn.Close()
		}
	}()
}

// left counts the connections that still work, and the clients that have kept their server.
func (c *crowd) left() (connections, clients int) {
	var wait sync.WaitGroup
	alive := make(chan bool, len(c.idle))
	for _, conn := range c.idle {
		wait.Go(func() { alive <- converse(conn, 1, 10*time.Second) == nil })
	}
	wait.Wait()
	close(alive)
	for ok := range alive {
		if ok {
			connections++
		}
	}
	for address, server := range c.servers {
		if name, err := c.visit(address); err == nil && name == server {
			clients++
		}
	}
	return connections, clients
}

// TestAThousandIdleConnections and a hundred persistent clients survive a failover, the
// return of a director that knows nothing, and a failover again. What the kernel does by
// itself is the control: it does not tell the one that returns.
func TestAThousandIdleConnections(t *testing.T) {
	if testing.Short() {
		t.Skip("TestIdleConnectionsSurviveTheReturnOfADirector has fewer")
	}
	for _, tt := range []struct {
		name, refresh        string
		connections, clients int
		survive              bool
	}{
		{"the Master tells of all", "1s", 1000, 100, true},
		{"the kernel alone does not", "0s", 50, 50, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newPair(t, map[string]string{"echoes.hcl": echoes, "clingy.hcl": clingy,
				"director.hcl": strings.Replace(telling, `"1s"`, strconv.Quote(tt.refresh), 1)})
			for _, s := range p.Servers[:2] {
				p.echo(s, 5300)
				p.greet(s, 80)
			}
			p.startBoth(cluster.VIP)
			for i := range p.Directors {
				p.waitTable(i)
			}
			c := newCrowd(p, tt.connections, tt.clients)
			want := func(what string) {
				t.Helper()
				connections, clients := c.left()
				t.Logf("%s: %d of %d connections work, %d of %d clients have kept their server", what, connections, tt.connections, clients, tt.clients)
				if connections != tt.connections || clients != tt.clients {
					t.Errorf("%s: want all of them", what)
				}
			}
			want("at first")
			p.waitKnown(1, tt.connections, tt.clients)
			p.must(p.Reboot(0))
			p.waitHolder(1, cluster.VIP)
			want("the Master has failed")
			p.start(0)
			p.waitHolder(0, cluster.VIP)
			connections, clients := p.known(0)
			t.Logf("when it takes over, it knows %d connections and %d clients", connections, clients)
			if !tt.survive {
				if alive, _ := c.left(); connections+clients+alive > 0 {
					t.Errorf("%d of them have survived", alive)
				}
				return
			}
			want("it has returned, and knew nothing")
			p.waitKnown(1, tt.connections, tt.clients)
			p.must(p.Directors[0].SignalAll(syscall.SIGKILL))
			p.waitHolder(1, cluster.VIP)
			want("it has failed again")
		})
	}
}

// waitKnown waits until director i knows so many connections to the echoes, and clients of
// the persistent service.
func (p *pair) waitKnown(i, connections, clients int) {
	p.t.Helper()
	p.until(p.Directors[i].Name+" to know all", func() (bool, error) {
		established, templates := p.known(i)
		return templates >= clients && established >= connections, nil
	})
}

// known counts the connections to the echoes that director i knows, and the clients of the
// persistent service.
func (p *pair) known(i int) (connections, clients int) {
	p.t.Helper()
	for line := range strings.Lines(p.run(i, "cat", "/proc/net/ip_vs_conn")) {
		f := strings.Fields(line)
		switch {
		case len(f) > 7 && f[2] == "0000" && f[4] == "0050":
			clients++
		case len(f) > 7 && f[4] == "14B4" && f[7] == "ESTABLISHED": // port 5300
			connections++
		}
	}
	return connections, clients
}
