package probe

import (
	"context"
	"net"
	"net/netip"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/lvsd/lvsd/checker"
	"golang.org/x/sys/unix"
)

func TestTCP(t *testing.T) {
	t.Parallel()
	p := newProber(t)
	tests := []struct {
		name    string
		addr    netip.AddrPort
		timeout time.Duration
		outcome checker.Outcome
		detail  string
	}{
		{"a server that listens", serve(t, func(*net.TCPConn) {}), patience, checker.Passed, ""},
		{"a port that nobody listens on", closedPort(t), patience, checker.Failed, "connection refused"},
		{"a process that hangs, its accept queue full", hungProcess(t), 200 * time.Millisecond,
			checker.Failed, "timeout after 200ms while connecting"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			expect(t, probeOnce(t, p, at(tt.addr, checker.TCP{}, tt.timeout)), tt.outcome, tt.detail)
		})
	}
}

// hungProcess returns the address of a process that listens and never accepts,
// with clients enough that its kernel answers no more.
func hungProcess(t *testing.T) netip.AddrPort {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	if err := unix.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	sa, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	addr := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), uint16(sa.(*unix.SockaddrInet4).Port))
	for range 4 {
		if c, err := net.DialTimeout("tcp4", addr.String(), 100*time.Millisecond); err == nil {
			t.Cleanup(func() { c.Close() })
		}
	}
	return addr
}

// TestTCPLeavesNoTrace proves what the comments of openTCP promise: the
// server's process does not see the probes, and nothing stays in TIME_WAIT.
func TestTCPLeavesNoTrace(t *testing.T) {
	var accepted atomic.Int64
	addr := serve(t, func(*net.TCPConn) { accepted.Add(1) })
	before := ourTimeWaits(t, addr.Port())
	p := newProber(t)
	delayed := int64(0)
	for i := range 1000 {
		began := time.Now()
		if r := probeOnce(t, p, at(addr, checker.TCP{}, patience)); r.Outcome != checker.Passed {
			t.Fatalf("probe %d: %v %s", i, r.Outcome, r.Detail)
		}
		// The kernel holds back an ACK for 40 ms at most (TCP_DELACK_MIN): a busy
		// machine may not come to closing the connection earlier.
		if time.Since(began) > 30*time.Millisecond {
			delayed++
		}
	}
	if n := accepted.Load(); n > delayed {
		t.Errorf("the server's process accepted %d connections, and %d probes were delayed; want no more than these", n, delayed)
	}
	for _, client := range ourTimeWaits(t, addr.Port()) {
		if !slices.Contains(before, client) {
			t.Fatalf("a connection from %s stays in TIME_WAIT", client)
		}
	}
}

// hexPort writes a port as /proc/net/tcp does.
func hexPort(port uint16) string {
	const digits = "0123456789ABCDEF"
	return ":" + string([]byte{digits[port>>12], digits[port>>8&15], digits[port>>4&15], digits[port&15]})
}

func TestTCPManyAtOnceLoseNoWakeUp(t *testing.T) {
	addr := serve(t, func(*net.TCPConn) {})
	p := newProber(t)
	var probes sync.WaitGroup
	var failed atomic.Pointer[checker.Result]
	for range 50 {
		probes.Go(func() {
			for range 40 {
				if r := probeOnce(t, p, at(addr, checker.TCP{}, patience)); r.Outcome != checker.Passed {
					failed.Store(&r)
				}
			}
		})
	}
	probes.Wait()
	if r := failed.Load(); r != nil {
		t.Errorf("%v: %s", r.Outcome, r.Detail)
	}
}

func TestTCPCancelledProbeEndsAtOnce(t *testing.T) {
	addr := hungProcess(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	time.AfterFunc(50*time.Millisecond, cancel)
	began := time.Now()
	New(nil).Compile(checker.SpecOf(checker.TCP{}))(ctx, at(addr, checker.TCP{}, time.Minute))
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("the probe ended %v after it began, want 50 ms", took)
	}
}

func TestTCPWithoutFileDescriptorsIsNotRun(t *testing.T) {
	addr := serve(t, func(*net.TCPConn) {})
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	none := limit
	none.Cur = 0
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &none); err != nil {
		t.Fatal(err)
	}
	r := probeOnce(t, New(nil), at(addr, checker.TCP{}, patience))
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	expect(t, r, checker.NotRun, "socket: too many open files: raise LimitNOFILE")
}

// TestTCPWhoseFault tells the reasons of this director from those of the
// server, where both come as the same error number.
func TestTCPWhoseFault(t *testing.T) {
	t.Parallel()
	director, server := newLAN(t)
	director.ip(t, "route add unreachable 10.98.0.0/24\nroute add prohibit 10.97.0.0/24\nroute add 10.96.0.0/24 via 10.99.0.2")
	server.ip(t, "route add unreachable 10.96.0.0/24")
	server.sysctl(t, "net/ipv4/ip_forward", "1")
	listen(t, server, "10.99.0.2:80")
	listen(t, server, "[fd99::2]:80")
	tests := []struct {
		name    string
		addr    string
		timeout time.Duration
		outcome checker.Outcome
		detail  string
	}{
		{"a server on the network", "10.99.0.2:80", patience, checker.Passed, ""},
		{"a server on the network, IPv6", "[fd99::2]:80", patience, checker.Passed, ""},
		{"it refuses", "10.99.0.2:81", patience, checker.Failed, "connection refused"},
		{"it refuses, IPv6", "[fd99::2]:81", patience, checker.Failed, "connection refused"},
		{"the director has no route", "203.0.113.1:80", patience, checker.NotRun, "network is unreachable: this director has no route"},
		{"the director has no route, IPv6", "[2001:db8::1]:80", patience, checker.NotRun, "network is unreachable: this director has no route"},
		{"the director's routes refuse", "10.98.0.1:80", patience, checker.NotRun, "no route to host: this director has no route"},
		{"the director's routes prohibit", "10.97.0.1:80", patience, checker.NotRun, "permission denied"},
		{"nobody answers ARP, timeout first", "10.99.0.3:80", 300 * time.Millisecond, checker.Failed, "timeout after 300ms while connecting"},
		{"nobody answers ARP, the kernel first", "10.99.0.4:80", patience, checker.Failed, "no route to host: nothing on the network answers"},
		{"nobody answers for it, IPv6", "[fd99::4]:80", patience, checker.Failed, "no route to host: nothing on the network answers"},
		{"a router refuses", "10.96.0.1:80", patience, checker.Failed, "no route to host"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var r checker.Result
			director.do(func() { r = probeOnce(t, New(nil), at(netip.MustParseAddrPort(tt.addr), checker.TCP{}, tt.timeout)) })
			expect(t, r, tt.outcome, tt.detail)
		})
	}
	t.Run("the director has no port left", func(t *testing.T) {
		director.sysctl(t, "net/ipv4/ip_local_port_range", "40000 40000")
		var r checker.Result
		director.do(func() {
			c, err := dial(t.Context(), netip.MustParseAddrPort("10.99.0.2:80"), false)
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			r = probeOnce(t, New(nil), at(netip.MustParseAddrPort("10.99.0.2:80"), checker.TCP{}, patience))
		})
		expect(t, r, checker.NotRun, "cannot assign requested address: this director has no free port")
	})
	t.Run("the director's interface is down", func(t *testing.T) {
		director.ip(t, "link set eth0 down")
		var r checker.Result
		director.do(func() {
			r = probeOnce(t, New(nil), at(netip.MustParseAddrPort("10.99.0.2:80"), checker.TCP{}, patience))
		})
		expect(t, r, checker.NotRun, "this director has no route")
	})
}

// listen accepts connections in a namespace and keeps them.
func listen(t *testing.T, n *netns, addr string) {
	t.Helper()
	var l net.Listener
	var err error
	n.do(func() { l, err = net.Listen("tcp", addr) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			defer runtime.KeepAlive(c)
		}
	}()
}
