package probe

import (
	"net"
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/lvsd/lvsd/checker"
)

// by returns a target that is asked another way.
func by(t checker.Target, v checker.Via) checker.Target {
	t.Spec = t.Spec.By(v)
	return t
}

// "Our firewall lets only the director's second address in."
func TestProbesComeFromTheirSource(t *testing.T) {
	t.Parallel()
	from := make(chan netip.AddrPort, 1)
	tcp := serve(t, func(c *net.TCPConn) {
		from <- c.RemoteAddr().(*net.TCPAddr).AddrPort()
		c.Write([]byte("hello\n"))
	})
	u, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { u.Close() })
	go func() {
		for {
			_, client, err := u.ReadFromUDPAddrPort(make([]byte, 100))
			if err != nil {
				return
			}
			from <- client
			u.WriteToUDPAddrPort([]byte("hello\n"), client)
		}
	}()
	hello := checker.Expect{Text: []byte("hello")}
	udp := u.LocalAddr().(*net.UDPAddr).AddrPort()
	p := newProber(t)
	for name, target := range map[string]checker.Target{
		"tcp": at(tcp, checker.TCP{Expect: hello}, patience), "udp": at(udp, checker.UDP{Send: []byte("x"), Reply: true, Expect: hello}, patience),
	} {
		for _, tt := range []struct {
			name string
			via  checker.Via
			ok   func(netip.AddrPort) bool
		}{
			{"an address", checker.Via{Source: netip.MustParseAddr("127.0.0.5")}, func(a netip.AddrPort) bool { return a.Addr() == netip.MustParseAddr("127.0.0.5") }},
			{"ports", checker.Via{FirstPort: 61000, LastPort: 64999}, func(a netip.AddrPort) bool { return 61000 <= a.Port() && a.Port() <= 64999 }},
			{"an address and ports", checker.Via{Source: netip.MustParseAddr("127.0.0.6"), FirstPort: 61000, LastPort: 64999, Interface: "lo", TTL: 3, DSCP: 46},
				func(a netip.AddrPort) bool {
					return a.Addr() == netip.MustParseAddr("127.0.0.6") && 61000 <= a.Port() && a.Port() <= 64999
				}},
		} {
			expect(t, probeOnce(t, p, by(target, tt.via)), checker.Passed, "")
			if a := <-from; !tt.ok(a) {
				t.Errorf("%s by %s: it came from %v", name, tt.name, a)
			}
		}
	}
}

func TestWaysThatThisDirectorDoesNotHave(t *testing.T) {
	t.Parallel()
	p, addr := newProber(t), serve(t, func(*net.TCPConn) {})
	for _, tt := range []struct {
		name, detail string
		via          checker.Via
	}{
		{"another's address", "this director does not have that address", checker.Via{Source: netip.MustParseAddr("192.0.2.1")}},
		{"another family", "cannot be asked from ::1: give its check a source of its own family", checker.Via{Source: netip.IPv6Loopback()}},
		{"no interface of this name", "this director has no such interface", checker.Via{Interface: "absent0"}},
		{"nonsense, from a process that lies", "9 to 1 are no range", checker.Via{FirstPort: 9, LastPort: 1}},
		{"a name that is none", "is not the name of an interface", checker.Via{Interface: "a/b"}},
		{"too many bits", "dscp is at most 63", checker.Via{DSCP: 64}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, o := range []checker.Options{checker.TCP{}, checker.UDP{}, checker.HTTP{}} {
				expect(t, probeOnce(t, p, by(at(addr, o, patience), tt.via)), checker.NotRun, tt.detail)
			}
		})
	}
}

// What a socket is told, as the kernel has it.
func TestMarksAndTTLs(t *testing.T) {
	t.Parallel()
	v := &checker.Via{Mark: 7, TTL: 3, DSCP: 46}
	for _, tt := range []struct {
		name string
		to   netip.Addr
		want map[[2]int]int
	}{
		{"IPv4", netip.MustParseAddr("127.0.0.1"), map[[2]int]int{{unix.SOL_SOCKET, unix.SO_MARK}: 7, {unix.IPPROTO_IP, unix.IP_TTL}: 3, {unix.IPPROTO_IP, unix.IP_TOS}: 184}},
		{"IPv6", netip.IPv6Loopback(), map[[2]int]int{{unix.SOL_SOCKET, unix.SO_MARK}: 7, {unix.IPPROTO_IPV6, unix.IPV6_UNICAST_HOPS}: 3, {unix.IPPROTO_IPV6, unix.IPV6_TCLASS}: 184}},
	} {
		fd, err := openTCP(withVia(t.Context(), v), tt.to, true)
		if err != nil {
			t.Skip(err) // without CAP_NET_ADMIN
		}
		for option, want := range tt.want {
			if got, err := unix.GetsockoptInt(fd, option[0], option[1]); err != nil || got != want {
				t.Errorf("%s, option %v: %d, %v, want %d", tt.name, option, got, err, want)
			}
		}
		unix.Close(fd)
	}
}

func TestPingsGoTheirWay(t *testing.T) {
	t.Parallel()
	p := newProber(t)
	for _, tt := range []struct {
		name    string
		to      string
		via     checker.Via
		outcome checker.Outcome
		detail  string
	}{
		{"from an address", "127.0.0.1", checker.Via{Source: netip.MustParseAddr("127.0.0.5"), TTL: 1, DSCP: 46, Mark: 7}, checker.Passed, ""},
		{"by an interface", "127.0.0.1", checker.Via{Interface: "lo"}, checker.Passed, ""},
		{"of IPv6", "::1", checker.Via{Source: netip.IPv6Loopback(), Interface: "lo", TTL: 1, DSCP: 46, Mark: 7}, checker.Passed, ""},
		{"by no interface", "127.0.0.1", checker.Via{Interface: "absent0"}, checker.NotRun, "this director has no such interface"},
		{"from another's address", "127.0.0.1", checker.Via{Source: netip.MustParseAddr("192.0.2.1")}, checker.NotRun, "sending an echo request"},
		{"from another family", "127.0.0.1", checker.Via{Source: netip.IPv6Loopback()}, checker.NotRun, "a source of its own family"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := probeOnce(t, p, by(ping(tt.to, patience), tt.via))
			expect(t, got, tt.outcome, tt.detail)
		})
	}
}
