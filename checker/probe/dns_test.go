package probe

import (
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/lvsd/lvsd/checker"
)

// zone answers requests, which reply changes before they are sent.
func zone(reply func(*dnsmessage.Message)) func([]byte) []byte {
	return func(request []byte) []byte {
		var m dnsmessage.Message
		if m.Unpack(request) != nil {
			return nil
		}
		m.Response = true
		reply(&m)
		answer, err := m.Pack()
		if err != nil {
			panic(err)
		}
		return answer
	}
}

// has adds records to the answer.
func has(bodies ...dnsmessage.ResourceBody) func(*dnsmessage.Message) {
	return func(m *dnsmessage.Message) {
		for _, b := range bodies {
			head := dnsmessage.ResourceHeader{Name: m.Questions[0].Name, Class: dnsmessage.ClassINET, TTL: 60}
			m.Answers = append(m.Answers, dnsmessage.Resource{Header: head, Body: b})
		}
	}
}

func fails(code dnsmessage.RCode) func(*dnsmessage.Message) {
	return func(m *dnsmessage.Message) { m.RCode = code }
}

func name(s string) dnsmessage.Name { return dnsmessage.MustNewName(s) }

func a(last byte) *dnsmessage.AResource {
	return &dnsmessage.AResource{A: [4]byte{192, 0, 2, last}}
}

func soa(serial uint32) *dnsmessage.SOAResource {
	return &dnsmessage.SOAResource{NS: name("NS.example.org."), MBox: name("admin.example.org."), Serial: serial, Refresh: 2, Retry: 3, Expire: 4, MinTTL: 5}
}

// byUDP answers each request by one datagram.
func byUDP(t *testing.T, answer func([]byte) []byte) netip.AddrPort {
	return serveUDP(t, func(request []byte) [][]byte {
		if b := answer(request); b != nil {
			return [][]byte{b}
		}
		return nil
	})
}

// onTCP answers one request on a connection.
func onTCP(answer func([]byte) []byte) func(*net.TCPConn) {
	return func(c *net.TCPConn) {
		defer c.Close()
		var size [2]byte
		if _, err := io.ReadFull(c, size[:]); err != nil {
			return
		}
		request := make([]byte, binary.BigEndian.Uint16(size[:]))
		if _, err := io.ReadFull(c, request); err != nil {
			return
		}
		b := answer(request)
		c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(b))), b...))
		io.Copy(io.Discard, c)
	}
}

func TestDNSRecords(t *testing.T) {
	t.Parallel()
	p := newProber(t)
	for _, tt := range []struct {
		name    string
		reply   func(*dnsmessage.Message)
		asks    checker.DNS
		outcome checker.Outcome
		detail  string
	}{
		{"any record will do", has(a(1)), checker.DNS{Type: "A", Name: "www.example.org"}, checker.Passed, ""},
		{"one of several is wanted", has(a(1), a(2)), checker.DNS{Type: "A", Answers: []string{"192.0.2.2"}}, checker.Passed, ""},
		{"all of several are wanted", has(a(1), a(2)), checker.DNS{Type: "A", Answers: []string{"192.0.2.2", "192.0.2.1"}}, checker.Passed, ""},
		{"one is not there", has(a(1), a(2)), checker.DNS{Type: "A", Answers: []string{"192.0.2.2", "192.0.2.3"}}, checker.Failed, "the answer has no 192.0.2.3; it has 192.0.2.1, 192.0.2.2"},
		{"many others are there", has(a(1), a(2), a(3), a(4), a(5)), checker.DNS{Type: "A", Answers: []string{"192.0.2.9"}}, checker.Failed, "it has 192.0.2.1, 192.0.2.2, 192.0.2.3 and 2 more"},
		{"there is none", has(), checker.DNS{Type: "A"}, checker.Failed, "the answer has no record of type A"},
		{"there is an alias, and what it stands for", has(&dnsmessage.CNAMEResource{CNAME: name("x.example.org.")}, a(1)), checker.DNS{Type: "A", Answers: []string{"192.0.2.1"}}, checker.Passed, ""},
		{"there is an alias, and nothing else", has(&dnsmessage.CNAMEResource{CNAME: name("x.example.org.")}), checker.DNS{Type: "A"}, checker.Failed, "no record of type A"},
		{"IPv6, in another spelling", has(&dnsmessage.AAAAResource{AAAA: netip.MustParseAddr("2001:db8::1").As16()}), checker.DNS{Type: "AAAA", Answers: []string{"2001:DB8:0::1"}}, checker.Passed, ""},
		{"a name, in another spelling", has(&dnsmessage.NSResource{NS: name("NS.Example.org.")}), checker.DNS{Type: "NS", Answers: []string{"ns.EXAMPLE.org"}}, checker.Passed, ""},
		{"a canonical name", has(&dnsmessage.CNAMEResource{CNAME: name("x.")}), checker.DNS{Type: "CNAME", Answers: []string{"x"}}, checker.Passed, ""},
		{"a pointer", has(&dnsmessage.PTRResource{PTR: name("x.")}), checker.DNS{Type: "PTR", Answers: []string{"x."}}, checker.Passed, ""},
		{"a mail exchanger", has(&dnsmessage.MXResource{Pref: 10, MX: name("mail.example.org.")}), checker.DNS{Type: "MX", Answers: []string{" 10  mail.example.org"}}, checker.Passed, ""},
		{"a mail exchanger of another preference", has(&dnsmessage.MXResource{Pref: 20, MX: name("mail.")}), checker.DNS{Type: "MX", Answers: []string{"10 mail"}}, checker.Failed, "the answer has no 10 mail.; it has 20 mail."},
		{"a service", has(&dnsmessage.SRVResource{Priority: 1, Weight: 2, Port: 5060, Target: name("sip.")}), checker.DNS{Type: "SRV", Answers: []string{"1 2 5060 sip"}}, checker.Passed, ""},
		{"a text in two pieces", has(&dnsmessage.TXTResource{TXT: []string{"v=spf1 ", "-all"}}), checker.DNS{Type: "TXT", Answers: []string{"v=spf1 -all"}}, checker.Passed, ""},
		{"a start of authority", has(soa(1)), checker.DNS{Answers: []string{"ns.example.org Admin.example.org 1 2 3 4 5"}}, checker.Passed, ""},
		{"more records than anybody has", has(slices.Repeat([]dnsmessage.ResourceBody{a(1)}, 300)...), checker.DNS{Type: "A"}, checker.Failed, "the answer has more than 255 records"},

		{"an error that is wanted", fails(dnsmessage.RCodeNameError), checker.DNS{Code: "NXDOMAIN"}, checker.Passed, ""},
		{"an error", fails(dnsmessage.RCodeRefused), checker.DNS{}, checker.Failed, "the server answered REFUSED, want NOERROR"},
		{"no error where one is wanted", has(soa(1)), checker.DNS{Code: "REFUSED"}, checker.Failed, "the server answered NOERROR, want REFUSED"},
		{"an error that nobody knows", fails(11), checker.DNS{}, checker.Failed, "the server answered code 11, want NOERROR"},
		{"an error, and the question is not repeated", func(m *dnsmessage.Message) { m.RCode, m.Questions = dnsmessage.RCodeFormatError, nil }, checker.DNS{}, checker.Failed, "the server answered FORMERR"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			expect(t, probeOnce(t, p, at(byUDP(t, zone(tt.reply)), tt.asks, patience)), tt.outcome, tt.detail)
			tt.asks.TCP = true
			expect(t, probeOnce(t, p, at(serve(t, onTCP(zone(tt.reply))), tt.asks, patience)), tt.outcome, tt.detail)
		})
	}
}

// looping is an answer whose name points to itself.
func looping(request []byte) []byte {
	b := slices.Clone(request)
	b[2] |= 0x80
	b[7] = 1                                                     // one record
	return append(b, 0xc0, byte(len(request)), 0, 1, 0, 1, 0, 0) // at the place where it stands
}

func TestDNSBadServers(t *testing.T) {
	t.Parallel()
	const brief = 300 * time.Millisecond
	good := zone(has(soa(1)))
	change := func(f func([]byte) []byte) func([]byte) []byte {
		return func(request []byte) []byte { return f(good(request)) }
	}
	otherID := change(func(b []byte) []byte { b[0]++; return b })
	otherName := zone(func(m *dnsmessage.Message) { has(soa(1))(m); m.Questions[0].Name = name("x.") })
	noName := zone(func(m *dnsmessage.Message) { has(soa(1))(m); m.Questions = nil })
	twoNames := zone(func(m *dnsmessage.Message) { has(soa(1))(m); m.Questions = append(m.Questions, m.Questions[0]) })
	truncated := zone(func(m *dnsmessage.Message) { m.Truncated = true })
	garbage := func([]byte) []byte { return []byte("220 hello\r\n") }
	short := change(func(b []byte) []byte { return b[:len(b)-3] })
	p := newProber(t)
	for _, tt := range []struct {
		name   string
		answer func([]byte) []byte
		detail string
	}{
		{"silence", func([]byte) []byte { return nil }, "timeout after 300ms while waiting for the answer"},
		{"an answer to another id", otherID, "1 datagrams came that answer something else"},
		{"an answer to another question", otherName, "1 datagrams came that answer something else"},
		{"an answer to no question", noName, "1 datagrams came that answer something else"},
		{"an answer to two questions", twoNames, "1 datagrams came that answer something else"},
		{"the question comes back", func(b []byte) []byte { return b }, "1 datagrams came that answer something else"},
		{"garbage", garbage, "1 datagrams came that answer something else"},
		{"an empty datagram", func([]byte) []byte { return []byte{} }, "1 datagrams came that answer something else"},
		{"half of an answer", short, "the answer cannot be read"},
		{"a name that points to itself", looping, "the answer cannot be read"},
		{"truncated, and nobody listens by TCP", truncated, "connection refused while asking again by TCP"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := probeOnce(t, p, at(byUDP(t, tt.answer), checker.DNS{}, brief))
			expect(t, r, checker.Failed, tt.detail)
			if r.Silent != (tt.name == "silence") {
				t.Errorf("silent: %v", r.Silent)
			}
		})
	}
	for _, tt := range []struct {
		name   string
		serve  func(*net.TCPConn)
		detail string
	}{
		{"silence by TCP", func(*net.TCPConn) {}, "timeout after 300ms while waiting for the answer by TCP"},
		{"the server closes", func(c *net.TCPConn) { c.Read(make([]byte, 100)); c.Close() }, "without a whole answer"},
		{"the server closes in the midst of an answer", func(c *net.TCPConn) { c.Write([]byte{0, 9, 1, 2}); c.CloseWrite(); io.Copy(io.Discard, c) }, "without a whole answer"},
		{"the server resets", func(c *net.TCPConn) { c.SetLinger(0); c.Close() }, "connection reset by peer"},
		{"another id by TCP", onTCP(otherID), "the server answered another question by TCP"},
		{"garbage by TCP", greets("220 hello\r\n"), "timeout after 300ms"}, // it has the length "22"
		{"one byte at a time for ever", trickles("\xff"), "timeout after 300ms while waiting for the answer by TCP"},
		{"for ever", floods("\xff"), "the server answered another question by TCP"},
		{"half of an answer by TCP", onTCP(short), "the answer cannot be read"},
		{"a name that points to itself by TCP", onTCP(looping), "the answer cannot be read"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			expect(t, probeOnce(t, p, at(serve(t, tt.serve), checker.DNS{TCP: true}, brief)), checker.Failed, tt.detail)
		})
	}
	t.Run("nobody listens", func(t *testing.T) {
		expect(t, probeOnce(t, p, at(closedUDPPort(t), checker.DNS{}, patience)), checker.Failed, "connection refused")
		expect(t, probeOnce(t, p, at(closedPort(t), checker.DNS{TCP: true}, patience)), checker.Failed, "connection refused")
	})
	t.Run("spoofed answers come before the true one", func(t *testing.T) {
		addr := serveUDP(t, func(b []byte) [][]byte { return [][]byte{otherID(b), garbage(b), otherName(b), good(b)} })
		expect(t, probeOnce(t, p, at(addr, checker.DNS{}, patience)), checker.Passed, "")
	})
	t.Run("spoofed answers come without end", func(t *testing.T) {
		addr := serveUDP(t, func(b []byte) [][]byte { return slices.Repeat([][]byte{otherID(b)}, 2*maxStrangers) })
		expect(t, probeOnce(t, p, at(addr, checker.DNS{}, time.Second)), checker.Failed, "answer something else")
	})
}

// What UDP has no room for comes by TCP, at the same address.
func TestDNSTruncated(t *testing.T) {
	t.Parallel()
	byTCP := serve(t, onTCP(zone(has(a(1), a(2)))))
	c, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(byTCP))
	if err != nil {
		t.Skip(err) // Another test has the port.
	}
	t.Cleanup(func() { c.Close() })
	answer := zone(func(m *dnsmessage.Message) { m.Truncated = true })
	go func() {
		buffer := make([]byte, 1000)
		for {
			n, from, err := c.ReadFromUDPAddrPort(buffer)
			if err != nil {
				return
			}
			c.WriteToUDPAddrPort(answer(buffer[:n]), from)
		}
	}()
	expect(t, probeOnce(t, newProber(t), at(byTCP, checker.DNS{Type: "A", Answers: []string{"192.0.2.2"}}, patience)), checker.Passed, "")
}

func TestDNSSerial(t *testing.T) {
	t.Parallel()
	p := newProber(t)
	server := func(serial uint32) netip.AddrPort { return byUDP(t, zone(has(soa(serial)))) }
	silent := serveUDP(t, func([]byte) [][]byte { return nil })
	for _, tt := range []struct {
		name    string
		serial  uint32
		primary netip.AddrPort
		outcome checker.Outcome
		detail  string
	}{
		{"the same", 7, server(7), checker.Passed, ""},
		{"the primary is older", 8, server(7), checker.Passed, ""},
		{"the primary is newer", 7, server(8), checker.Failed, "is newer: 8"},
		{"the primary is newer, beyond the end of the numbers", 0xffffffff, server(1), checker.Failed, "the zone's serial is 4294967295, and the one of 127.0.0.1:"},
		{"the primary is gone", 7, closedUDPPort(t), checker.Passed, ""},
		{"the primary is silent", 7, silent, checker.Passed, ""},
		{"the primary knows no such zone", 7, byUDP(t, zone(fails(dnsmessage.RCodeRefused))), checker.Passed, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			expect(t, probeOnce(t, p, at(server(tt.serial), checker.DNS{Name: "example.org", Primary: tt.primary}, 2*time.Second)), tt.outcome, tt.detail)
		})
	}
}

// However an answer is made, its decoder returns, and what it accepts is what a
// configuration may want.
func FuzzDNS(f *testing.F) {
	question := dnsmessage.Question{Name: name("example.org."), Type: dnsmessage.TypeSOA, Class: dnsmessage.ClassINET}
	request, _ := askDNS(7, question)
	kinds := []string{"A", "AAAA", "CNAME", "MX", "NS", "PTR", "SOA", "SRV", "TXT"}
	bodies := []dnsmessage.ResourceBody{a(1), &dnsmessage.AAAAResource{}, &dnsmessage.CNAMEResource{CNAME: name("x.")}, &dnsmessage.MXResource{MX: name("x.")},
		&dnsmessage.NSResource{NS: name("x.")}, &dnsmessage.PTRResource{PTR: name("x.")}, soa(1), &dnsmessage.SRVResource{Target: name("x.")}, &dnsmessage.TXTResource{TXT: []string{"x"}}}
	for i, b := range bodies {
		f.Add(zone(has(b))(request), uint8(i))
	}
	f.Add(looping(request), uint8(0))
	f.Fuzz(func(t *testing.T, message []byte, which uint8) {
		answersDNS(message, 7, question)
		kind := kinds[int(which)%len(kinds)]
		r, err := parseDNS(message, dnsmessage.Type(checker.DNSTypes[kind]))
		if len(r.records) > maxRecords {
			t.Fatalf("%d records", len(r.records))
		}
		for _, text := range r.records {
			if strings.ContainsAny(text, " \t\r\n\v\f\u0085\u00a0") && kind != "MX" && kind != "SRV" && kind != "SOA" || err != nil || kind == "TXT" {
				continue // A label may have any byte.
			}
			if again, err := checker.CanonicalRecord(kind, text); err == nil && again != text {
				t.Fatalf("%q of type %s is %q when it is read again", text, kind, again)
			}
		}
	})
}
