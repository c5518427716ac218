package probe

import (
	"encoding/binary"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lvsd/lvsd/checker"
	"golang.org/x/sys/unix"
)

// ping returns a target to ping.
func ping(addr string, timeout time.Duration) checker.Target {
	return at(netip.AddrPortFrom(netip.MustParseAddr(addr), 0), checker.Ping{}, timeout)
}

// pingable skips a test where there is no raw socket.
func pingable(t testing.TB) {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.IPPROTO_ICMP)
	if err != nil {
		t.Skipf("needs CAP_NET_RAW: %v", err)
	}
	unix.Close(fd)
}

func TestPing(t *testing.T) {
	t.Parallel()
	director, _ := newLAN(t)
	director.ip(t, "route add unreachable 10.98.0.0/24")
	tests := []struct {
		name    string
		addr    string
		timeout time.Duration
		outcome checker.Outcome
		detail  string
	}{
		{"a server that is there", "10.99.0.2", patience, checker.Passed, ""},
		{"a server that is there, IPv6", "fd99::2", patience, checker.Passed, ""},
		{"the director itself", "127.0.0.1", patience, checker.Passed, ""},
		{"the director itself, IPv6", "::1", patience, checker.Passed, ""},
		{"nobody there", "10.99.0.3", 200 * time.Millisecond, checker.Failed, "timeout after 200ms while waiting for an echo reply"},
		{"nobody there, IPv6", "fd99::3", 200 * time.Millisecond, checker.Failed, "timeout after 200ms while waiting for an echo reply"},
		{"no route", "203.0.113.1", patience, checker.NotRun, "network is unreachable: this director has no route"},
		{"no route, IPv6", "2001:db8::1", patience, checker.NotRun, "network is unreachable: this director has no route"},
		{"the director's routes refuse", "10.98.0.1", patience, checker.NotRun, "no route to host: this director has no route"},
		{"a broadcast address", "10.99.0.255", patience, checker.NotRun, "permission denied"},
	}
	p := newProber(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var r checker.Result
			director.do(func() { r = probeOnce(t, p, ping(tt.addr, tt.timeout)) })
			expect(t, r, tt.outcome, tt.detail)
			// "Our uplink was pulled, and the director that tracks a ping stayed Master."
			if own := ping(tt.addr, tt.timeout); strings.Contains(tt.detail, "has no route") {
				own.Spec = checker.SpecOf(checker.Ping{OwnRoute: true})
				director.do(func() { r = probeOnce(t, p, own) })
				expect(t, r, checker.Failed, "this director has no route to it")
			}
		})
	}
}

// TestPingDeadServersHoldUpNobody fills the socket with requests that wait for
// ARP: three to each of 400 dead servers, beside one that lives. More servers
// would fill the kernel's table of neighbours, which all namespaces share.
func TestPingDeadServersHoldUpNobody(t *testing.T) {
	t.Parallel()
	director, server := newLAN(t)
	director.ip(t, "addr add 10.64.0.1/16 dev eth0")
	server.ip(t, "addr add 10.64.0.2/16 dev eth0")
	p := newProber(t)
	director.do(func() { expect(t, probeOnce(t, p, ping("10.99.0.2", patience)), checker.Passed, "") })
	// The socket is in the director's namespace now, so the rest may run
	// anywhere.
	var dead sync.WaitGroup
	outcomes := make([]checker.Result, 1200)
	for i := range outcomes {
		addr := netip.AddrFrom4([4]byte{10, 64, byte(1 + i%400>>8), byte(i % 400)})
		dead.Go(func() { outcomes[i] = probeOnce(t, p, ping(addr.String(), time.Second)) })
	}
	for range 20 {
		expect(t, probeOnce(t, p, ping("10.64.0.2", patience)), checker.Passed, "")
		time.Sleep(20 * time.Millisecond)
	}
	dead.Wait()
	for _, r := range outcomes {
		if r.Outcome != checker.Failed {
			t.Fatalf("a dead server: %v: %s", r.Outcome, r.Detail)
		}
	}
}

func TestPingManyAtOnce(t *testing.T) {
	pingable(t)
	p := newProber(t)
	expect(t, probeOnce(t, p, ping("127.0.0.1", patience)), checker.Passed, "")
	before := runtime.NumGoroutine()
	var pings sync.WaitGroup
	for i := range 2000 {
		addr := netip.AddrFrom4([4]byte{127, 1, byte(i >> 8), byte(i)}).String()
		pings.Go(func() { expect(t, probeOnce(t, p, ping(addr, patience)), checker.Passed, "") })
	}
	pings.Wait()
	if n := len(p.ping4.waiting); n != 0 {
		t.Errorf("%d pings are still waited for", n)
	}
	if more := runtime.NumGoroutine() - before; more > 5 {
		t.Errorf("%d goroutines stay behind", more)
	}
}

func TestPingWithoutCapabilityIsNotRun(t *testing.T) {
	pingable(t)
	results := make(chan checker.Result)
	go func() {
		// Capabilities belong to the thread, and this one ends here.
		runtime.LockOSThread()
		header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
		var none [2]unix.CapUserData
		if err := unix.Capset(&header, &none[0]); err != nil {
			t.Error(err)
		}
		results <- probeOnce(t, New(nil), ping("127.0.0.1", patience))
	}()
	expect(t, <-results, checker.NotRun, "opening a raw socket for ping: operation not permitted (this director needs CAP_NET_RAW)")
}

// closeSocket closes the socket of a pinger under its reader, which ends.
func closeSocket(p *pinger) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.socket != nil {
		p.socket.file.Close()
	}
}

func TestPingSocketThatBreaksIsOpenedAgain(t *testing.T) {
	pingable(t)
	p := newProber(t)
	expect(t, probeOnce(t, p, ping("127.0.0.1", patience)), checker.Passed, "")
	result := make(chan checker.Result)
	p.ping4.mu.Lock()
	w := waiter{done: make(chan error, 1)}
	p.ping4.waiting[7] = w
	p.ping4.mu.Unlock()
	go func() { result <- verdict(t.Context(), ping("127.0.0.1", patience), <-w.done) }()
	closeSocket(&p.ping4)
	expect(t, <-result, checker.NotRun, "receiving echo replies")
	expect(t, probeOnce(t, p, ping("127.0.0.1", patience)), checker.Passed, "")
}

func TestPingBelievesOnlyTheRightReply(t *testing.T) {
	server, other := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	tests := []struct {
		name string
		from netip.Addr
		echo echo
		want bool
	}{
		{"the reply", server, echo{ID: 1, Seq: 5, Token: 99}, true},
		{"from another address", other, echo{ID: 1, Seq: 5, Token: 99}, false},
		{"of another number", server, echo{ID: 1, Seq: 6, Token: 99}, false},
		{"without our token", server, echo{ID: 1, Seq: 5, Token: 98}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := waiter{addr: server, token: 99, done: make(chan error, 1)}
			p := pinger{waiting: map[uint16]waiter{5: w}}
			p.deliver(tt.from, tt.echo)
			if got := len(w.done) == 1; got != tt.want {
				t.Errorf("believed: %v, want %v", got, tt.want)
			}
		})
	}
}

// reply turns a request into what the socket delivers of its reply.
func reply(t testing.TB, f echoFamily, e echo) []byte {
	t.Helper()
	m, err := f.encode(e)
	if err != nil {
		t.Fatal(err)
	}
	if !f.hasHeader {
		m[0] = 129
		return m
	}
	m[0] = 0
	ip := make([]byte, 24) // with 4 bytes of options
	ip[0] = 0x46
	binary.BigEndian.PutUint16(ip[2:], uint16(len(ip)+len(m)))
	return append(ip, m...)
}

func FuzzEchoDecode(f *testing.F) {
	e := echo{ID: 0x1234, Seq: 7, Token: 0xfeedfacecafebeef}
	for i, family := range []echoFamily{ipv4Echo, ipv6Echo} {
		packet := reply(f, family, e)
		if got, ok := family.decode(packet); !ok || got != e {
			f.Fatalf("decoded %+v, %v, want %+v", got, ok, e)
		}
		f.Add(i == 1, packet)
		f.Add(i == 1, packet[:20])
		f.Add(i == 1, packet[:len(packet)-50])
	}
	f.Fuzz(func(t *testing.T, six bool, packet []byte) {
		family := ipv4Echo
		if six {
			family = ipv6Echo
		}
		got, ok := family.decode(packet)
		if !ok {
			if got != (echo{}) {
				t.Fatalf("refused, and yet %+v", got)
			}
			return
		}
		if again, ok := family.decode(reply(t, family, got)); !ok || again != got {
			t.Fatalf("decoded %+v, and that again %+v, %v", got, again, ok)
		}
	})
}
