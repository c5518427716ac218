package probe

import (
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/lvsd/lvsd/checker"
)

// serveUDP answers each datagram by those that reply returns.
func serveUDP(t *testing.T, reply func(request []byte) [][]byte) netip.AddrPort {
	t.Helper()
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	go func() {
		buffer := make([]byte, 64<<10)
		for {
			n, from, err := c.ReadFromUDPAddrPort(buffer)
			if err != nil {
				return
			}
			for _, answer := range reply(buffer[:n]) {
				c.WriteToUDPAddrPort(answer, from)
			}
		}
	}()
	return c.LocalAddr().(*net.UDPAddr).AddrPort()
}

func closedUDPPort(t *testing.T) netip.AddrPort {
	t.Helper()
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return c.LocalAddr().(*net.UDPAddr).AddrPort()
}

func TestUDP(t *testing.T) {
	t.Parallel()
	const brief = 300 * time.Millisecond
	silent := serveUDP(t, func([]byte) [][]byte { return nil })
	echo := serveUDP(t, func(b []byte) [][]byte { return [][]byte{b} })
	empty := serveUDP(t, func([]byte) [][]byte { return [][]byte{{}} })
	large := serveUDP(t, func([]byte) [][]byte { return [][]byte{append(make([]byte, 60_000), "end"...)} })
	many := serveUDP(t, func([]byte) [][]byte { return [][]byte{[]byte("first"), []byte("second")} })
	closed := closedUDPPort(t)
	want := func(send, text string) checker.UDP {
		return checker.UDP{Send: []byte(send), Reply: true, Expect: checker.Expect{Text: []byte(text)}}
	}
	tests := []struct {
		name    string
		addr    netip.AddrPort
		spec    checker.UDP
		timeout time.Duration
		outcome checker.Outcome
		detail  string
	}{
		{"nobody refuses, and nobody must answer", silent, checker.UDP{}, brief, checker.Passed, ""},
		{"an answer, and none is needed", echo, checker.UDP{Send: []byte("hi")}, patience, checker.Passed, ""},
		{"an answer of any kind", echo, checker.UDP{Send: []byte("hi"), Reply: true}, patience, checker.Passed, ""},
		{"a request without data is answered", echo, checker.UDP{Reply: true}, patience, checker.Passed, ""},
		{"an answer without data", empty, checker.UDP{Reply: true}, patience, checker.Passed, ""},
		{"the answer that is expected", echo, want("\x00\xffhi", "\xffhi"), patience, checker.Passed, ""},
		{"an expression for the end of the answer", echo, checker.UDP{Send: []byte("OK"), Reply: true, Expect: checker.Expect{Pattern: "^OK$"}}, patience, checker.Passed, ""},
		{"the largest answer", large, want("x", "end"), patience, checker.Passed, ""},
		{"the first answer counts", many, want("x", "second"), patience, checker.Failed, `the answer does not match "second"; it begins with "first"`},
		{"another answer", echo, want("hi", "ho"), patience, checker.Failed, `the answer does not match "ho"; it begins with "hi"`},
		{"an answer without data where something is expected", empty, want("hi", "ho"), patience, checker.Failed, `the answer is empty, want "ho"`},
		{"an answer that must not come", echo, checker.UDP{Send: []byte("error"), Reply: true, Expect: checker.Expect{Not: "^err"}}, patience, checker.Failed, "what must not come"},
		{"silence", silent, checker.UDP{Reply: true}, brief, checker.Failed, "timeout after 300ms while waiting for the answer"},
		{"nobody listens", closed, checker.UDP{}, patience, checker.Failed, "connection refused"},
		{"nobody listens, and somebody must answer", closed, checker.UDP{Reply: true}, patience, checker.Failed, "connection refused"},
	}
	p := newProber(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := probeOnce(t, p, at(tt.addr, tt.spec, tt.timeout))
			expect(t, r, tt.outcome, tt.detail)
			if r.Silent != (tt.name == "silence") {
				t.Errorf("it counts as silent: %v", r.Silent)
			}
		})
	}
}

// What a router or nobody at all says of an address is the server's failure, and what
// this director's own routing says is not.
func TestUDPWhoseFaultItIs(t *testing.T) {
	director, _ := newLAN(t)
	p := newProber(t)
	for _, tt := range []struct {
		name, addr string
		outcome    checker.Outcome
		detail     string
	}{
		{"nobody listens", "10.99.0.2:9", checker.Failed, "connection refused"},
		{"nobody listens, by IPv6", "[fd99::2]:9", checker.Failed, "connection refused"},
		{"nobody has the address", "10.99.0.3:9", checker.Failed, "no route to host: nothing on the network answers"},
		{"nobody has the address, by IPv6", "[fd99::3]:9", checker.Failed, "no route to host: nothing on the network answers"},
		{"this director has no route", "10.98.0.1:9", checker.NotRun, "this director has no route to the server"},
	} {
		var r checker.Result
		director.do(func() { r = probeOnce(t, p, at(netip.MustParseAddrPort(tt.addr), checker.UDP{}, patience)) })
		t.Run(tt.name, func(t *testing.T) { expect(t, r, tt.outcome, tt.detail) })
	}
}
