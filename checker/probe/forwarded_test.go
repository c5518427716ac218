package probe

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lvsd/lvsd/checker"
)

// A fakeForwarder knows one mark, or why there is none.
type fakeForwarder struct {
	err, deaf error
	asked     chan netip.Addr
}

func (f fakeForwarder) Mark(_ context.Context, server netip.Addr, _ checker.Forwarding) (uint32, error) {
	select {
	case f.asked <- server:
	default:
	}
	return 7, f.err
}

func (f fakeForwarder) Deaf(virtual, server netip.Addr) error { return f.deaf }

// through is the way by a virtual address.
func through(virtual string) checker.Via {
	return checker.Via{Forwarded: checker.Forwarding{Virtual: netip.MustParseAddr(virtual), Method: checker.Direct}}
}

// The server is asked at the virtual address, from the address of this director towards
// the server itself.
func TestAForwardedProbeAsksTheVirtualAddress(t *testing.T) {
	t.Parallel()
	virtual, err := net.Listen("tcp4", "127.0.0.9:0")
	if err != nil {
		t.Fatal(err)
	}
	defer virtual.Close()
	from := make(chan net.Addr, 1)
	go func() {
		for {
			c, err := virtual.Accept()
			if err != nil {
				return
			}
			from <- c.RemoteAddr()
			c.Close()
		}
	}()
	server := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.2"), uint16(virtual.Addr().(*net.TCPAddr).Port))
	f := fakeForwarder{asked: make(chan netip.Addr, 1)}
	p := newProber(t)
	p.ForwardBy(f)
	var steps []string
	target := by(at(server, checker.TCP{Connected: true}, patience), through("127.0.0.9"))
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	r := p.Compile(target.Spec)(WithTracer(ctx, func(step, text string) { steps = append(steps, step+" "+text) }), target)
	if r.Outcome == checker.NotRun && strings.Contains(r.Detail, "CAP_NET_ADMIN") {
		t.Skip(r.Detail)
	}
	expect(t, r, checker.Passed, "")
	if asked := <-f.asked; asked != server.Addr() {
		t.Errorf("the mark of %v was asked for", asked)
	}
	if a := <-from; !strings.HasPrefix(a.String(), "127.0.0.1:") {
		t.Errorf("it came from %v", a)
	}
	if want := "forwarded by the kernel's IPVS (direct) to 127.0.0.2 alone, with the firewall mark 7"; len(steps) == 0 || steps[0] != want {
		t.Errorf("it tells %q, want %q first", steps, want)
	}
}

func TestForwardedProbesThatCannotBeRun(t *testing.T) {
	t.Parallel()
	silent, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 9)}) // and never answers
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { silent.Close() })
	server := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.2"), silent.LocalAddr().(*net.UDPAddr).AddrPort().Port())
	given := through("127.0.0.9")
	given.Source = netip.MustParseAddr("127.0.0.9")
	marked := through("127.0.0.9")
	marked.Mark = 8
	for _, tt := range []struct {
		name      string
		forwarder Forwarder
		via       checker.Via
		outcome   checker.Outcome
		detail    string
	}{
		{"the kernel has no private service", fakeForwarder{err: errors.New("no private service")}, through("127.0.0.9"), checker.NotRun, "no private service"},
		{"nothing is forwarded here", nil, through("127.0.0.9"), checker.NotRun, "nothing is forwarded here"},
		{"silence", fakeForwarder{}, through("127.0.0.9"), checker.Failed, "timeout"},
		{"silence that this director makes itself", fakeForwarder{deaf: errors.New("accept_local is 0")}, through("127.0.0.9"), checker.NotRun, "accept_local is 0"},
		{"from the virtual address itself", fakeForwarder{}, given, checker.NotRun, "to which no server can send an answer"},
		{"nonsense, from a process that lies", fakeForwarder{}, marked, checker.NotRun, "has a mark"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := newProber(t)
			if tt.forwarder != nil {
				p.ForwardBy(tt.forwarder)
			}
			r := probeOnce(t, p, by(at(server, checker.UDP{Reply: true}, 50*time.Millisecond), tt.via))
			if strings.Contains(r.Detail, "CAP_NET_ADMIN") {
				t.Skip(r.Detail)
			}
			expect(t, r, tt.outcome, tt.detail)
		})
	}
}

// What sockets are told of a forwarded probe: those to the virtual address, and those to
// another that it asks, such as the primary server of a zone.
func TestOnlyPacketsToTheVirtualAddressAreForwarded(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name      string
		way       checker.Via
		to        string
		mark, ttl int
	}{
		{"direct routing: the server passes nothing on", through("127.0.0.9"), "127.0.0.9", 7, 2},
		{"IPVS counts as a router", checker.Via{TTL: 5, Forwarded: checker.Forwarding{Virtual: netip.MustParseAddr("127.0.0.9"), Method: "tunnel"}}, "127.0.0.9", 7, 6},
		{"IPv6", through("::1"), "::1", 7, 2},
		{"another address", through("127.0.0.9"), "127.0.0.3", 0, 0},
	} {
		server := netip.MustParseAddr("127.0.0.2")
		if tt.way.Forwarded.Virtual.Is6() {
			server = netip.MustParseAddr("::1")
			tt.way.Source = netip.IPv6Unspecified()
		}
		v, err := pathTo(t.Context(), fakeForwarder{}, tt.way, server)
		if err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		to := netip.MustParseAddr(tt.to)
		fd, err := openTCP(withForwarded(withVia(t.Context(), &checker.Via{}), v), to, true)
		if err != nil {
			t.Skip(err) // without CAP_NET_ADMIN
		}
		level, option := unix.IPPROTO_IPV6, unix.IPV6_UNICAST_HOPS
		if to.Is4() {
			level, option = unix.IPPROTO_IP, unix.IP_TTL
		}
		mark, _ := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_MARK)
		ttl, _ := unix.GetsockoptInt(fd, level, option)
		if mark != tt.mark || tt.ttl != 0 && ttl != tt.ttl {
			t.Errorf("%s: mark %d and TTL %d, want %d and %d", tt.name, mark, ttl, tt.mark, tt.ttl)
		}
		unix.Close(fd)
	}
}
