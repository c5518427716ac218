package integration

import (
	"bufio"
	"crypto/tls"
	"flag"
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lvsd/lvsd/integration/cluster"
	"github.com/lvsd/lvsd/internal/importer"
	conf "github.com/lvsd/lvsd/internal/importer/keepalived"
)

// A foreignService is a virtual server as keepalived has it. In it, {{ stands for a
// real server at a port of its own, with the lines behind it up to }}, for each of three.
type foreignService struct {
	name string
	text string
}

// importedServers are virtual servers of each family: kinds of checks, schedulers, ways to
// forward, groups, quorums. web1 is killed and web2 answers wrongly in the test. In
// user-mode Linux, all of them together are too slow to tell times by, so they are groups. Those by programs
// are not among them: it starts too few in a second.
var importedServers = []struct {
	name    string
	silent  time.Duration // how long an attempt takes that fails
	servers []foreignService
}{
	{"by connections, pages and datagrams", 0, []foreignService{
		{"TCP_CHECK, wrr and persistence", `virtual_server 10.13.0.201 80 {
	TIMERS
	lb_algo wrr
	lb_kind NAT
	persistence_timeout 50
	protocol TCP
	{{ 80
		weight 3
		TCP_CHECK {
		}
	}}
}`},
		{"HTTP_GET by digest, inhibited", `virtual_server 10.13.0.203 80 {
	TIMERS
	lb_algo lc
	lb_kind NAT
	inhibit_on_failure
	protocol TCP
	{{ 80
		HTTP_GET {
			url {
				path /
				digest 2adf521149526dde524f030851c7f903
			}
		}
	}}
}`},
		{"UDP_CHECK of a group with a range", `virtual_server_group range {
	10.13.0.210-212 5000
	10.13.0.216/30 5000
}
virtual_server group range {
	TIMERS
	lb_kind NAT
	protocol UDP
	{{ 5000
		UDP_CHECK {
			payload 70696e67
			require_reply 706f6e67
		}
	}}
}`},
		{"quorum, hysteresis and a sorry server", `virtual_server 10.13.0.208 80 {
	TIMERS
	lb_algo nq
	lb_kind NAT
	protocol TCP
	quorum 2
	sorry_server 192.168.1.99 8080
	{{ 80
		HTTP_GET {
			url {
				path /
			}
		}
	}}
}`},
	}},
	{"by other protocols", 0, []foreignService{
		{"SSL_GET, alpha", `virtual_server 10.13.0.204 443 {
	TIMERS
	lb_kind TUN
	alpha
	protocol TCP
	{{ 443
		SSL_GET {
			url {
				path /
				status_code 200
			}
		}
	}}
}`},
		{"SMTP_CHECK of old, sh with flags", `virtual_server 10.13.0.205 25 {
	TIMERS
	lb_algo sh
	sh-port
	sh-fallback
	lb_kind NAT
	protocol TCP
	{{ 25
		SMTP_CHECK {
			helo_name lvs.example.org
			host {
				connect_timeout 2
			}
		}
	}}
}`},
		{"DNS_CHECK, UDP where there is no protocol", `virtual_server 10.13.0.206 53 {
	TIMERS
	lb_algo rr
	ops
	{{ 53
		DNS_CHECK {
			type A
			name www.example.org
		}
	}}
}`},
		{"HTTP_GET by status, direct", `virtual_server 10.13.0.202 80 {
	TIMERS
	lb_kind DR
	protocol TCP
	{{ 80
		HTTP_GET {
			url {
				path /
				status_code 200-204
			}
		}
	}}
}`},
	}},
	{"by ping, and not at all", importedSilent, []foreignService{
		{"IPv6, PING_CHECK", `virtual_server 2001:db8:13::201 80 {
	TIMERS
	connect_timeout SILENT
	lb_algo dh
	lb_kind DR
	protocol TCP
	persistence_timeout 100
	persistence_granularity 64
	real_server 2001:db8:1::4 80 {
		PING_CHECK {
		}
	}
	real_server 2001:db8:1::5 80 {
		PING_CHECK {
		}
	}
}`},
		{"thresholds, several ways to forward, no check", `virtual_server 10.13.0.209 80 {
	TIMERS
	lb_algo lblc
	lb_kind DR
	persistence_timeout
	persistence_granularity 255.255.255.0
	protocol TCP
	{{ 80
		weight 0
		uthreshold 100
		lthreshold 80
		lvs_method TUN
	}}
}`},
	}},
}

var everyImported = flag.Bool("imported", false, "run all configurations of keepalived that are imported")

const (
	importedRetry = 4
	// importedSilent is how long an answer is waited for where none comes.
	importedSilent = 500 * time.Millisecond
)

// A tempo is when both try, and how long it takes them to find what fails, from the first
// attempt after it, which comes within a loop.
type tempo struct{ loop, silent time.Duration }

func (o tempo) verdict() time.Duration { return o.silent + importedRetry*(o.loop+o.silent) }

// TestWhatIsImportedDoesWhatKeepalivedDoes runs keepalived, and lvsd with what is made of its
// configuration, on two directors with the same real servers: their tables are the same, also
// after a server was killed and another one answers wrongly, and they notice within the same time.
func TestWhatIsImportedDoesWhatKeepalivedDoes(t *testing.T) {
	if !*everyImported {
		t.Skip("it takes a minute: make imported")
	}
	for _, g := range importedServers {
		t.Run(g.name, func(t *testing.T) {
			besideKeepalived(t, g.servers, tempo{time.Second, g.silent})
		})
	}
}

// besideKeepalived runs both with the same virtual servers.
func besideKeepalived(t *testing.T, all []foreignService, o tempo) {
	p := newPair(t, nil)
	servers := p.backends()
	text := keepalivedText(all, p.Dir, o)
	path := filepath.Join(p.Dir, "keepalived.conf")
	p.must(os.WriteFile(path, []byte(text), 0o644))
	r, err := conf.Import(files{}, path, conf.Options{})
	p.must(err)
	importer.Tidy(r.Blocks)
	p.write("imported.hcl", importer.Write(r.Blocks))

	p.start(0)
	theirs, err := p.Directors[1].Start("keepalived", "keepalived", "--dont-fork", "--log-console", "--log-detail", "-f", path)
	p.must(err)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("what was imported:\n%s\nkeepalived:\n%s", importer.Write(r.Blocks), theirs.LastWords(200))
		}
		_ = theirs.Stop(patience)
	})
	p.waitReady(0)
	table := p.sameTables(5)
	time.Sleep(2 * o.loop) // each check of keepalived has run once

	begin := time.Now()
	servers[0].kill()
	servers[1].wrong.Store(true)
	left := p.watch(begin, o)
	judge(t, left, o)

	servers[1].wrong.Store(false)
	servers[0].start()
	if back := p.sameTables(len(table)); !slices.Equal(back, table) {
		t.Errorf("after all is well again, the table is another one:\n%s\nbefore:\n%s", strings.Join(back, "\n"), strings.Join(table, "\n"))
	}
}

// files are those of this machine.
type files struct{}

func (files) Open(name string) ([]byte, error)      { return os.ReadFile(name) }
func (files) Glob(pattern string) ([]string, error) { return filepath.Glob(pattern) }

// keepalivedText writes all configurations as one.
func keepalivedText(all []foreignService, dir string, o tempo) string {
	var b strings.Builder
	for _, c := range all {
		head, rest, has := strings.Cut(c.text, "\t{{ ")
		b.WriteString("# " + c.name + "\n" + head)
		if has {
			inner, tail, _ := strings.Cut(rest, "\t}}")
			port, lines, _ := strings.Cut(inner, "\n")
			for _, a := range []string{"192.168.1.4", "192.168.1.5", "192.168.2.2"} {
				fmt.Fprintf(&b, "\treal_server %s %s {\n%s\t}\n", a, port, strings.ReplaceAll(lines, "ADDRESS", a))
			}
			b.WriteString(tail)
		}
		b.WriteString("\n")
	}
	pause := fmt.Sprint(o.loop.Seconds())
	return strings.NewReplacer("DIR", dir, "SILENT", fmt.Sprint(importedSilent.Seconds()),
		"TIMERS", fmt.Sprintf("delay_loop %s\n\tdelay_before_retry %s\n\tretry %d\n\tconnect_timeout 2\n\twarmup 0", pause, pause, importedRetry)).Replace(b.String())
}

// sameTables waits until both directors have the same table of so many lines at least.
func (p *pair) sameTables(lines int) (table []string) {
	p.t.Helper()
	var last [2][]string
	defer func() {
		if p.t.Failed() {
			p.t.Logf("lvsd:\n%s\nkeepalived:\n%s", strings.Join(last[0], "\n"), strings.Join(last[1], "\n"))
		}
	}()
	p.until("the tables to be the same", func() (bool, error) {
		for i, h := range p.Directors {
			t, err := cluster.Table(p.t.Context(), h)
			if err != nil {
				return false, err
			}
			slices.Sort(t)
			last[i] = t
		}
		return len(last[0]) >= lines && slices.Equal(last[0], last[1]), nil
	})
	return last[0]
}

// watch looks at both tables until they agree again on which servers take connections, and
// returns when each has left, by service and server.
func (p *pair) watch(begin time.Time, o tempo) (left [2]map[string]time.Duration) {
	p.t.Helper()
	var before [2]map[string]bool
	for i, h := range p.Directors {
		before[i], left[i] = p.serving(h), map[string]time.Duration{}
	}
	for end := begin.Add(o.verdict() + o.loop + 5*time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		var now [2]map[string]bool
		for i, h := range p.Directors {
			now[i] = p.serving(h)
			for row := range before[i] {
				if _, gone := left[i][row]; !gone && !now[i][row] {
					left[i][row] = time.Since(begin)
				}
			}
		}
		if time.Since(begin) > o.verdict()+o.loop && len(left[0]) > 0 && maps.Equal(now[0], now[1]) {
			return left
		}
	}
	for _, h := range p.Directors {
		table, _ := cluster.Table(p.t.Context(), h)
		p.t.Logf("%s:\n%s", h.Name, strings.Join(table, "\n"))
	}
	p.t.Error("the directors do not agree on which servers take connections")
	return left
}

// serving are the rows of a table that take connections, each with its service.
func (p *pair) serving(h *cluster.Host) map[string]bool {
	p.t.Helper()
	table, err := cluster.Table(p.t.Context(), h)
	p.must(err)
	rows := map[string]bool{}
	for _, line := range table {
		if row, _, is := strings.Cut(strings.TrimPrefix(line, "-a "), " -m"); is || strings.HasPrefix(line, "-a ") {
			row, _, _ = strings.Cut(row, " -g")
			row, _, _ = strings.Cut(row, " -i")
			if !strings.Contains(line+" ", " -w 0 ") {
				rows[row] = true
			}
		}
	}
	return rows
}

// judge compares the times that both took.
func judge(t *testing.T, left [2]map[string]time.Duration, o tempo) {
	t.Helper()
	if a, b := slices.Sorted(maps.Keys(left[0])), slices.Sorted(maps.Keys(left[1])); !slices.Equal(a, b) || len(a) == 0 {
		t.Errorf("others left:\n%v\nkeepalived's:\n%v", a, b)
	}
	var sum [2]time.Duration
	const margin = 3 * time.Second // for the lab
	for row, theirs := range left[1] {
		ours := left[0][row]
		for _, took := range []time.Duration{ours, theirs} {
			if took < o.verdict()-200*time.Millisecond || took > o.verdict()+o.loop+margin {
				t.Errorf("%s left after %v, want %v and up to %v until the first attempt", row, took, o.verdict(), o.loop)
			}
		}
		t.Logf("%-40s lvsd %7v  keepalived %7v", row, ours.Round(time.Millisecond), theirs.Round(time.Millisecond))
		sum[0], sum[1] = sum[0]+ours, sum[1]+theirs
	}
	if ratio := float64(sum[0]) / float64(max(sum[1], 1)); ratio < 0.8 || ratio > 1.2 {
		t.Errorf("on average, lvsd takes %.2f times as long as keepalived", ratio)
	}
}

// A backend is a real server with all that the checks ask for.
type backend struct {
	*pair
	host   *cluster.Host
	wrong  atomic.Bool
	closes []func() error
}

// backends starts all real servers.
func (p *pair) backends() (all []*backend) {
	for _, h := range p.Servers {
		b := &backend{pair: p, host: h}
		b.start()
		p.t.Cleanup(b.kill)
		all = append(all, b)
	}
	return all
}

// kill ends all that a server serves.
func (b *backend) kill() {
	for _, c := range b.closes {
		_ = c()
	}
	b.closes = nil
	b.must(b.host.Sysctl("net/ipv6/icmp/echo_ignore_all", "1"))
}

// start serves all that the checks ask for.
func (b *backend) start() {
	b.must(b.host.Sysctl("net/ipv6/icmp/echo_ignore_all", "0"))
	b.http(80, func(l net.Listener) net.Listener { return l })
	b.http(443, func(l net.Listener) net.Listener {
		return tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{*newAuthority(b.t).Certificate}})
	})
	b.mail()
	b.datagrams(5000, func([]byte) []byte { return []byte(map[bool]string{true: "nope", false: "pong"}[b.wrong.Load()]) })
	b.datagrams(53, b.answer)
}

// mail greets, and says yes to everything.
func (b *backend) mail() {
	l := b.listen(b.host, 25)
	b.closes = append(b.closes, l.Close)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				fmt.Fprint(c, map[bool]string{true: "554 no\r\n", false: "220 mail\r\n"}[b.wrong.Load()])
				for lines := bufio.NewScanner(c); lines.Scan(); {
					fmt.Fprint(c, "250 yes\r\n")
				}
			}()
		}
	}()
}

// datagrams answers each datagram.
func (b *backend) datagrams(port int, answer func([]byte) []byte) {
	b.must(b.host.In(func() error {
		c, err := net.ListenPacket("udp4", fmt.Sprintf(":%d", port))
		if err != nil {
			return err
		}
		b.closes = append(b.closes, c.Close)
		go func() {
			buffer := make([]byte, 512)
			for {
				n, from, err := c.ReadFrom(buffer)
				if err != nil {
					return
				}
				_, _ = c.WriteTo(answer(buffer[:n]), from)
			}
		}()
		return nil
	}))
}

// answer answers a question about an address (RFC 1035, section 4): with one, or with SERVFAIL.
func (b *backend) answer(question []byte) []byte {
	out := append([]byte(nil), question...)
	out[2], out[3] = 0x81, 0x80
	if b.wrong.Load() {
		out[3] |= 2
		return out
	}
	out[7] = 1 // an answer, of the name in the question: type A, class IN, TTL 60, 4 bytes
	return append(out[:12+len("\x03www\x07example\x03org\x00")+4], 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 1)
}

// http serves pages.
func (b *backend) http(port uint16, wrap func(net.Listener) net.Listener) {
	l := b.listen(b.host, port)
	s := &http.Server{ErrorLog: log.New(io.Discard, "", 0), Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if b.wrong.Load() {
			w.WriteHeader(http.StatusInternalServerError)
		}
		fmt.Fprintln(w, "page")
	})}
	go func() { _ = s.Serve(wrap(l)) }()
	b.closes = append(b.closes, s.Close)
}
