package link_test

import (
	"errors"
	"fmt"
	"net/netip"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/lvsd/lvsd/vrrp"
	"github.com/lvsd/lvsd/vrrp/link"
	"github.com/mdlayher/packet"
	"golang.org/x/sys/unix"
	"net"
)

type received struct {
	Port     vrrp.Port
	Src, Dst string
	TTL      int
	Payload  string
}

// collect reads packets until there are n, then tells them all.
func collect(t *testing.T, l *link.Link, n int) []received {
	t.Helper()
	var got []received
	wait(t, fmt.Sprintf("%d packets", n), func() bool {
		l.Receive(func(p vrrp.Packet) {
			got = append(got, received{p.Port, p.Src.String(), p.Dst.String(), p.TTL, string(p.Payload)})
		})
		return len(got) >= n
	})
	return got
}

// Unicast needs a second host: see the tests of internal/keeper.
func TestAdvertsGoOutAndComeIn(t *testing.T) {
	cable(t, "va", "vb")
	ip(t, "addr add 10.9.0.1/24 dev va")
	ip(t, "addr add 10.9.0.2/24 dev va") // not the one that the kernel would choose
	ip(t, "addr add 10.9.0.3/24 dev vb")
	ip(t, "addr add fe80::a/64 dev va nodad")
	ip(t, "addr add fe80::b/64 dev vb nodad")
	a4, b4 := vrrp.Port{Interface: "va", Family: 4}, vrrp.Port{Interface: "vb", Family: 4}
	a6, b6 := vrrp.Port{Interface: "va", Family: 6}, vrrp.Port{Interface: "vb", Family: 6}
	l := open(t, a4, b4, a6, b6)

	for _, c := range []struct {
		name     string
		from, to vrrp.Port
		src, dst string
	}{
		{"IPv4 multicast", a4, b4, "10.9.0.2", "224.0.0.18"},
		{"IPv6 multicast", a6, b6, "fe80::a", "ff02::12"},
	} {
		t.Run(c.name, func(t *testing.T) {
			payload := "payload of " + c.name
			if err := l.Send(vrrp.Packet{Port: c.from, Src: netip.MustParseAddr(c.src), Dst: netip.MustParseAddr(c.dst), TTL: vrrp.TTL, Payload: []byte(payload)}); err != nil {
				t.Fatal(err)
			}
			want := []received{{c.to, c.src, c.dst, 255, payload}}
			// Only the other end hears it: not the sender's own socket.
			if diff := cmp.Diff(want, collect(t, l, 1)); diff != "" {
				t.Errorf("received from %s (-want +got):\n%s", c.src, diff)
			}
		})
	}
}

// An interface may lose its address: adverts still go out from it.
func TestAdvertsGoOutFromAnAddressThatWasLost(t *testing.T) {
	cable(t, "va", "vb")
	ip(t, "addr add 10.9.0.9/24 dev va")
	ip(t, "addr add fe80::9/64 dev va nodad")
	a4, a6 := vrrp.Port{Interface: "va", Family: 4}, vrrp.Port{Interface: "va", Family: 6}
	l := open(t, a4, a6)
	ip(t, "addr del 10.9.0.9/24 dev va")
	ip(t, "addr del fe80::9/64 dev va")
	c4, c6 := frames(t, "vb", unix.ETH_P_IP), frames(t, "vb", unix.ETH_P_IPV6)
	lost4, lost6 := netip.MustParseAddr("10.9.0.9"), netip.MustParseAddr("fe80::9")
	if err := errors.Join(l.Send(vrrp.Packet{Port: a4, Src: lost4, Dst: vrrp.Group4, TTL: vrrp.TTL, Payload: []byte("12345678")}), l.Send(vrrp.Packet{Port: a6, Src: lost6, Dst: vrrp.Group6, TTL: vrrp.TTL, Payload: []byte("12345678")})); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 2000)
	for buf[14+9] != vrrp.Protocol {
		if _, _, err := c4.ReadFrom(buf); err != nil {
			t.Fatal(err)
		}
	}
	if src, _ := netip.AddrFromSlice(buf[14+12:][:4]); src != lost4 {
		t.Errorf("sent from %s", src)
	}
	for buf[14+6] != vrrp.Protocol {
		if _, _, err := c6.ReadFrom(buf); err != nil {
			t.Fatal(err)
		}
	}
	if src, _ := netip.AddrFromSlice(buf[14+8:][:16]); src != lost6 {
		t.Errorf("sent from %s", src)
	}
}

func TestSendThatFailsTellsWhat(t *testing.T) {
	cable(t, "va", "vb")
	ip(t, "addr add 10.9.0.1/24 dev va")
	p := vrrp.Port{Interface: "va", Family: 4}
	l := open(t, p)
	ip(t, "link set va down")
	err := l.Send(vrrp.Packet{Port: p, Src: netip.MustParseAddr("10.9.0.1"), Dst: vrrp.Group4, TTL: vrrp.TTL, Payload: []byte("x")})
	if err == nil || !strings.Contains(err.Error(), "sending on va from 10.9.0.1 to 224.0.0.18") {
		t.Errorf("error %v does not tell what failed", err)
	}
	if err := l.Send(vrrp.Packet{Port: vrrp.Port{Interface: "nix", Family: 4}, Src: netip.Addr{}, Dst: vrrp.Group4, TTL: vrrp.TTL, Payload: nil}); err == nil {
		t.Error("sending without a socket succeeded")
	}
}

// frames opens a socket that sees what arrives at an interface.
func frames(t *testing.T, name string, etherType int) *packet.Conn {
	t.Helper()
	ifi, err := net.InterfaceByName(name)
	if err != nil {
		t.Fatal(err)
	}
	c, err := packet.Listen(ifi, packet.Raw, etherType, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// What a peer checks: TTL, traffic class (keepalived sends 0xc0), group MAC.
func TestHeadersOnTheWire(t *testing.T) {
	cable(t, "va", "vb")
	ip(t, "addr add 10.9.0.1/24 dev va")
	ip(t, "addr add fe80::a/64 dev va nodad")
	a4, a6 := vrrp.Port{Interface: "va", Family: 4}, vrrp.Port{Interface: "va", Family: 6}
	l := open(t, a4, a6)
	c4, c6 := frames(t, "vb", unix.ETH_P_IP), frames(t, "vb", unix.ETH_P_IPV6)
	buf := make([]byte, 2000)

	if err := l.Send(vrrp.Packet{Port: a4, Src: netip.MustParseAddr("10.9.0.1"), Dst: vrrp.Group4, TTL: vrrp.TTL, Payload: []byte("12345678")}); err != nil {
		t.Fatal(err)
	}
	for buf[14+9] != vrrp.Protocol {
		if _, _, err := c4.ReadFrom(buf); err != nil {
			t.Fatal(err)
		}
	}
	got := fmt.Sprintf("%x tos %x ttl %d", buf[:6], buf[15], buf[14+8])
	if want := "01005e000012 tos c0 ttl 255"; got != want {
		t.Errorf("IPv4: got %s, want %s", got, want)
	}
	if err := l.Send(vrrp.Packet{Port: a6, Src: netip.MustParseAddr("fe80::a"), Dst: vrrp.Group6, TTL: vrrp.TTL, Payload: []byte("12345678")}); err != nil {
		t.Fatal(err)
	}
	for buf[14+6] != vrrp.Protocol {
		if _, _, err := c6.ReadFrom(buf); err != nil {
			t.Fatal(err)
		}
	}
	got = fmt.Sprintf("%x class %x%x hops %d", buf[:6], buf[14]&0xf, buf[15]>>4, buf[14+7])
	if want := "333300000012 class c0 hops 255"; got != want {
		t.Errorf("IPv6: got %s, want %s", got, want)
	}
}

func TestInterfaceGoesAndComesBack(t *testing.T) {
	p := vrrp.Port{Interface: "va", Family: 4}
	l := open(t)
	l.Listen(map[vrrp.Port][]vrrp.Identity{p: nil})
	wait(t, "the missing interface is told", func() bool {
		return l.Interfaces().Ports[p] == "interface va does not exist"
	})
	for round := range 2 { // With another index each time.
		cable(t, "va", "vb")
		ip(t, "addr add 10.9.0.1/24 dev va")
		wait(t, "the socket is open", func() bool {
			why, ok := l.Interfaces().Ports[p]
			return ok && why == "" && l.Interfaces().ByName["va"].Up
		})
		wait(t, "it can be sent from", func() bool {
			return l.Send(vrrp.Packet{Port: p, Src: netip.MustParseAddr("10.9.0.1"), Dst: vrrp.Group4, TTL: vrrp.TTL, Payload: []byte("hello")}) == nil
		})
		ip(t, "link del va")
		wait(t, fmt.Sprintf("round %d: it is told as gone", round), func() bool {
			return l.Interfaces().Ports[p] == "interface va does not exist"
		})
	}
}

func TestCarrierAndWake(t *testing.T) {
	cable(t, "va", "vb")
	l := open(t)
	wait(t, "it is up", func() bool { return l.Interfaces().ByName["va"].Up })
	for range len(l.Wake()) {
		<-l.Wake()
	}
	ip(t, "link set vb down") // The cable is pulled at the other end.
	wait(t, "the carrier is gone", func() bool { return !l.Interfaces().ByName["va"].Up })
	if i := l.Interfaces(); !i.ByName["va"].Enabled || i.Booted.IsZero() || i.Booted.After(time.Now()) {
		t.Errorf("it is enabled: %t; the machine was started at %v", i.ByName["va"].Enabled, i.Booted)
	}
	if len(l.Wake()) == 0 {
		t.Error("nobody was woken")
	}
	same := l.Interfaces()
	if l.Interfaces() != same {
		t.Error("the pointer changes although nothing has")
	}
}

// The kernel tells a port that leaves a bridge as a deleted link.
func TestPortThatLeavesABridgeIsStillThere(t *testing.T) {
	cable(t, "va", "vb")
	ip(t, "link add vbr type bridge")
	t.Cleanup(func() { _ = exec.Command("ip", "link", "del", "vbr").Run() })
	l := open(t)
	ip(t, "link set va master vbr")
	ip(t, "link set va nomaster")
	ip(t, "addr add 10.9.0.77/32 dev va") // An event after the others.
	wait(t, "the events are read", func() bool { return len(l.Interfaces().ByName["va"].Addresses) > 0 && has(l, "va", "10.9.0.77/32") })
	if !l.Interfaces().ByName["va"].Up {
		t.Error("the interface is not up any more")
	}
}

func has(l *link.Link, name, prefix string) bool {
	for _, p := range l.Interfaces().ByName[name].Addresses {
		if p.String() == prefix {
			return true
		}
	}
	return false
}
