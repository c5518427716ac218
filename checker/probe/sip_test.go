package probe

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/lvsd/lvsd/checker"
)

// A pbx answers requests. Reply has $VIA, $ID and $CSEQ in the place of what an answer
// repeats.
func pbx(reply string) func([]byte) []byte {
	return func(request []byte) []byte {
		values := map[string]string{}
		for line := range strings.Lines(string(request)) {
			name, value, _ := strings.Cut(strings.TrimRight(line, "\r\n"), ": ")
			values[name] = value
		}
		return []byte(strings.NewReplacer("$VIA", values["Via"], "$ID", values["Call-ID"], "$CSEQ", values["CSeq"], "\n", "\r\n").Replace(reply))
	}
}

// sipReply is an answer with a status.
func sipReply(status string) string {
	return "SIP/2.0 " + status + "\nVia: $VIA\nFrom: <sip:a>;tag=1\nTo: <sip:b>;tag=2\nCall-ID: $ID\nCSeq: $CSEQ\nContent-Length: 0\n\n"
}

// readRequest reads a request from a connection.
func readRequest(c io.Reader) []byte {
	var request []byte
	for r := bufio.NewReader(c); ; {
		line, err := r.ReadString('\n')
		request = append(request, line...)
		if err != nil || line == "\r\n" {
			return request
		}
	}
}

// sipByTCP answers one request on a connection, and waits for its end.
func sipByTCP(answer func([]byte) []byte) func(*net.TCPConn) {
	return func(c *net.TCPConn) {
		defer c.Close()
		c.Write(answer(readRequest(c)))
		io.Copy(io.Discard, c)
	}
}

func TestSIP(t *testing.T) {
	t.Parallel()
	ok := sipReply("200 OK")
	p := newProber(t)
	for _, tt := range []struct {
		name    string
		reply   string
		asks    checker.SIP
		outcome checker.Outcome
		detail  string
	}{
		{"a server that is well", ok, checker.SIP{}, checker.Passed, ""},
		{"by other names", ok, checker.SIP{URI: "sip:example.org", From: "sip:lvs1@example.org;transport=udp"}, checker.Passed, ""},
		{"it is trying, and then well", sipReply("100 Trying") + ok, checker.SIP{}, checker.Passed, ""},
		{"short names of headers, and long lines", "SIP/2.0 200 OK\nv:\n $VIA\n ;received=127.0.0.1\ni: $ID\ncseq:  1\n\tOPTIONS\nl: 0\n\n", checker.SIP{}, checker.Passed, ""},
		{"two addresses on the way", strings.Replace(ok, "$VIA", "$VIA, SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKother", 1), checker.SIP{}, checker.Passed, ""},
		{"an answer with a body", strings.Replace(ok, "Length: 0\n\n", "Length: 4\n\nv=0\n", 1), checker.SIP{}, checker.Passed, ""},
		{"a status that is expected", sipReply("404 Not Found"), checker.SIP{Status: checker.StatusRanges{{First: 200, Last: 200}, {First: 404, Last: 405}}}, checker.Passed, ""},

		{"it is overloaded", sipReply("503 Service Unavailable"), checker.SIP{}, checker.Failed, "status 503 Service Unavailable, want 200-299"},
		{"it wants a login", sipReply("401 Unauthorized"), checker.SIP{}, checker.Failed, "status 401 Unauthorized, want 200-299"},
		{"everybody is busy", sipReply("600 Busy Everywhere"), checker.SIP{}, checker.Failed, "status 600 Busy Everywhere"},
		{"a status without a reason", sipReply("500"), checker.SIP{}, checker.Failed, "status 500"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			byDatagrams := serveUDP(t, func(request []byte) (all [][]byte) {
				for _, one := range strings.SplitAfter(string(pbx(tt.reply)(request)), "\r\n\r\n") {
					if strings.HasPrefix(one, "SIP") {
						all = append(all, []byte(one))
					}
				}
				return all
			})
			expect(t, probeOnce(t, p, at(byDatagrams, tt.asks, patience)), tt.outcome, tt.detail)
			tt.asks.TCP = true
			expect(t, probeOnce(t, p, at(serve(t, sipByTCP(pbx(tt.reply))), tt.asks, patience)), tt.outcome, tt.detail)
		})
	}
}

// What is no answer to the question is passed over by UDP, where anybody can send it, and
// is a failure on a connection.
func TestSIPBadServers(t *testing.T) {
	t.Parallel()
	const brief = 400 * time.Millisecond
	ok := sipReply("200 OK")
	p := newProber(t)
	for _, tt := range []struct{ name, reply, byTCP string }{
		{"another's Call-ID", strings.Replace(ok, "$ID", "other", 1), "the server answers another request"},
		{"another's branch", strings.Replace(ok, "$VIA", "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKother", 1), "the server answers another request"},
		{"another's branch before ours", strings.Replace(ok, "$VIA", "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKother\nVia: $VIA", 1), "the server answers another request"},
		{"no branch", strings.Replace(ok, "$VIA", "SIP/2.0/UDP 192.0.2.1", 1), "the server answers another request"},
		{"another command", strings.Replace(ok, "$CSEQ", "1 INVITE", 1), "the server answers another request"},
		{"a request in return", "OPTIONS sip:a SIP/2.0\nVia: $VIA\nCall-ID: $ID\nCSeq: $CSEQ\n\n", `the server does not speak SIP: its answer begins with "OPTIONS sip:a`},
		{"another protocol", "HTTP/1.1 400 Bad Request\nConnection: close\n\n", `the server does not speak SIP: its answer begins with "HTTP/1.1 400 Bad Request`},
		{"a status that is none", sipReply("2000 OK"), "the server does not speak SIP"},
		{"a status below all", sipReply("099 OK"), "the server does not speak SIP"},
		{"a line that is no header", strings.Replace(ok, "Contact", "", 1)[:len("SIP/2.0 200 OK\n")] + "nonsense\n\n", "the answer has a line that is no header"},
		{"a length below nothing", strings.Replace(ok, "Length: 0", "Length: -1", 1), "the answer has an invalid length"},
		{"a length beyond all", strings.Replace(ok, "Length: 0", "Length: 99999999999999999999", 1), "the answer has an invalid length"},
		{"endless headers", "SIP/2.0 200 OK\n" + strings.Repeat("X: "+strings.Repeat("x", 90)+"\n", 500), "no answer is complete after 16384 bytes"},
		{"it is trying for ever", strings.Repeat(sipReply("100 Trying"), 300), "no answer is complete after 16384 bytes"},
		{"the body of what is trying does not come", strings.Replace(sipReply("183 Progress"), "Length: 0", "Length: 2000000000", 1), "timeout"},
		{"a piece", "SIP/2.0 200 OK\nVia: $VIA\n", "timeout"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			limit := patience
			if tt.byTCP == "timeout" {
				limit = brief
			}
			expect(t, probeOnce(t, p, at(serve(t, sipByTCP(pbx(tt.reply))), checker.SIP{TCP: true}, limit)), checker.Failed, tt.byTCP)
			byDatagrams := serveUDP(t, func(b []byte) [][]byte { return [][]byte{pbx(tt.reply)(b)} })
			expect(t, probeOnce(t, p, at(byDatagrams, checker.SIP{}, brief)), checker.Failed, "1 datagrams came that answer something else")
		})
	}
	closes := serve(t, func(c *net.TCPConn) { readRequest(c); c.Close() })
	expect(t, probeOnce(t, p, at(closes, checker.SIP{TCP: true}, patience)), checker.Failed, "the server closed the connection while waiting for the answer")
	expect(t, probeOnce(t, p, at(closedUDPPort(t), checker.SIP{}, patience)), checker.Failed, "connection refused")
}

func TestSIPByTLS(t *testing.T) {
	t.Parallel()
	a, p := newAuthority(t), newProber(t)
	config := a.config(t, -1, 1, "127.0.0.1")
	addr := serve(t, func(plain *net.TCPConn) {
		c := tls.Server(plain, config)
		defer c.Close()
		request := readRequest(c)
		if len(request) == 0 {
			return // The client knows no authority.
		}
		if !strings.Contains(string(request), "Via: SIP/2.0/TLS 127.0.0.1:") {
			t.Errorf("the request is %q", request)
		}
		c.Write(pbx(sipReply("200 OK"))(request))
		io.Copy(io.Discard, c)
	})
	expect(t, probeOnce(t, p, at(addr, checker.SIP{TCP: true, TLS: &checker.TLS{CA: a.file}}, patience)), checker.Passed, "")
	expect(t, probeOnce(t, p, at(addr, checker.SIP{TCP: true, TLS: &checker.TLS{}}, patience)), checker.Failed, "unknown authority")
}

// RFC 3261, section 8.1.1: what every request has.
func TestSIPRequest(t *testing.T) {
	q := &sipQuestion{uri: "sip:192.0.2.7", transport: "UDP", token: "0123"}
	want := "OPTIONS sip:192.0.2.7 SIP/2.0\r\nVia: SIP/2.0/UDP [2001:db8::1]:40000;rport;branch=z9hG4bK0123\r\nMax-Forwards: 70\r\n" +
		"From: <sip:lvsd@[2001:db8::1]>;tag=0123\r\nTo: <sip:192.0.2.7>\r\nCall-ID: 0123@lvsd\r\nCSeq: 1 OPTIONS\r\n" +
		"Contact: <sip:lvsd@[2001:db8::1]:40000;transport=udp>\r\nAccept: application/sdp\r\nUser-Agent: lvsd\r\nContent-Length: 0\r\n\r\n"
	if got := string(q.text(netip.MustParseAddrPort("[2001:db8::1]:40000"))); got != want {
		t.Errorf("it is\n%s\nwant\n%s", got, want)
	}
}

// FuzzSIP reads whatever a server may send, whole and in pieces.
func FuzzSIP(f *testing.F) {
	q := &sipQuestion{uri: "sip:a", transport: "TCP", token: "1"}
	request := q.text(netip.MustParseAddrPort("127.0.0.1:1"))
	for _, reply := range []string{sipReply("200 OK"), sipReply("100 Trying") + sipReply("404 No"), "SIP/2.0 200\n x\n\n", "\n\nSIP/2.0 200 OK\nl: 5\n\n"} {
		f.Add(pbx(reply)(request), uint8(3))
	}
	f.Fuzz(func(t *testing.T, text []byte, piece uint8) {
		whole, err := q.read(strings.NewReader(string(text)))
		again, other := q.read(&pieces{strings.NewReader(string(text)), int(piece%64) + 1})
		if fmt.Sprint(whole, err == nil) != fmt.Sprint(again, other == nil) && len(text) < checker.AnswerLimit {
			t.Errorf("whole %+v %v, in pieces %+v %v", whole, err, again, other)
		}
		if err == nil && (!whole.answers(q) || !whole.final()) {
			t.Errorf("%+v passes", whole)
		}
	})
}

// pieces is a reader that reads some bytes at a time.
type pieces struct {
	io.Reader
	size int
}

func (p *pieces) Read(b []byte) (int, error) { return p.Reader.Read(b[:min(len(b), p.size)]) }
