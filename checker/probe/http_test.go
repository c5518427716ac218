package probe

import (
	"bufio"
	"crypto/sha256"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/lvsd/lvsd/checker"
)

// says returns a server that reads the request and then sends a text.
func says(text string) func(*net.TCPConn) {
	return func(c *net.TCPConn) {
		http.ReadRequest(bufio.NewReader(c))
		io.WriteString(c, text)
		c.Close()
	}
}

// drips returns a server that sends a head at once and then one byte of text
// every 5 ms, for ever.
func drips(head, text string) func(*net.TCPConn) {
	return func(c *net.TCPConn) {
		http.ReadRequest(bufio.NewReader(c))
		io.WriteString(c, head)
		for i := 0; ; i++ {
			if _, err := c.Write([]byte{text[i%len(text)]}); err != nil {
				return
			}
			time.Sleep(5 * time.Millisecond)
		}
	}
}

// pours returns a server that sends a head and then a text for ever, as fast
// as it is read.
func pours(head, text string) func(*net.TCPConn) {
	text = strings.Repeat(text, 1000)
	return func(c *net.TCPConn) {
		http.ReadRequest(bufio.NewReader(c))
		_, err := io.WriteString(c, head)
		for err == nil {
			_, err = io.WriteString(c, text)
		}
	}
}

const ok = "HTTP/1.1 200 OK\r\n"

func TestHTTPServers(t *testing.T) {
	t.Parallel()
	const brief = 300 * time.Millisecond
	tests := []struct {
		name    string
		serve   func(*net.TCPConn)
		spec    checker.HTTP
		timeout time.Duration
		outcome checker.Outcome
		detail  string
	}{
		{"a good answer", says(ok + "Content-Length: 2\r\n\r\nhi"), checker.HTTP{}, patience, checker.Passed, ""},
		{"an answer of HTTP/1.0 that ends with the connection", says("HTTP/1.0 200 OK\r\n\r\nhi"), checker.HTTP{Body: "hi"}, patience, checker.Passed, ""},
		{"a bad status", says("HTTP/1.1 503 Service Unavailable\r\n\r\n"), checker.HTTP{}, patience, checker.Failed, "status 503, want 200-299"},
		{"a bad status that is wanted", says("HTTP/1.1 503 Service Unavailable\r\n\r\n"), checker.HTTP{Status: checker.StatusRanges{{First: 200, Last: 200}, {First: 500, Last: 503}}}, patience, checker.Passed, ""},
		{"a redirect is an answer, and is not followed", says("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n\r\n"), checker.HTTP{}, patience, checker.Failed, "status 302, want 200-299"},
		{"a status that does not exist", says("HTTP/1.1 999 Nine\r\n\r\n"), checker.HTTP{}, patience, checker.Failed, "status 999, want 200-299"},
		{"informational responses come first", says("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + ok + "\r\n"), checker.HTTP{}, patience, checker.Passed, ""},
		{"HEAD has no body to wait for", says(ok + "Content-Length: 1000\r\n\r\n"), checker.HTTP{Method: "HEAD", Body: "^$"}, patience, checker.Passed, ""},

		{"the body matches", says(ok + "\r\nall is well"), checker.HTTP{Body: `\bwell\b`}, patience, checker.Passed, ""},
		{"the body matches in chunks", says(ok + "Transfer-Encoding: chunked\r\n\r\n2\r\nwe\r\n2\r\nll\r\n0\r\n\r\n"), checker.HTTP{Body: "^well$"}, patience, checker.Passed, ""},
		{"the body matches across two pieces", drips(ok+"\r\n", "all is well "), checker.HTTP{Body: "is well"}, patience, checker.Passed, ""},
		{"the body matches late", says(ok + "\r\n" + strings.Repeat("x", 200_000) + "well"), checker.HTTP{Body: "well"}, patience, checker.Passed, ""},
		{"the body matches too late", says(ok + "\r\n" + strings.Repeat("x", 300_000) + "well"), checker.HTTP{Body: "well"}, patience, checker.Failed, "the body (262144 bytes read) does not match"},
		{"an expression that matches anything", says(ok + "\r\n"), checker.HTTP{Body: "(?:)"}, patience, checker.Passed, ""},
		{"the body does not match", says(ok + "\r\nout of order"), checker.HTTP{Body: "well"}, patience, checker.Failed, `the body (12 bytes read) does not match "well"`},
		{"the body is shorter than it says", says(ok + "Content-Length: 100\r\n\r\nhi"), checker.HTTP{Body: "well"}, patience, checker.Failed, "the body is malformed after 2 bytes: unexpected EOF"},
		{"the chunks are nonsense", says(ok + "Transfer-Encoding: chunked\r\n\r\nzz\r\nhi"), checker.HTTP{Body: "well"}, patience, checker.Failed, "the body is malformed after 0 bytes: invalid byte in chunk length"},
		{"a broken body does not matter where none is read", says(ok + "Transfer-Encoding: chunked\r\n\r\nzz"), checker.HTTP{}, patience, checker.Passed, ""},

		{"accepts and never answers", func(*net.TCPConn) {}, checker.HTTP{}, brief, checker.Failed, "timeout after 300ms while reading the response header"},
		{"drips its header", drips(ok, "X: y\r\n"), checker.HTTP{}, brief, checker.Failed, "timeout after 300ms while reading the response header"},
		{"drips its body", drips(ok+"\r\n", "x"), checker.HTTP{Body: "well"}, brief, checker.Failed, "timeout after 300ms while reading the body"},
		{"drips its body after the match", drips(ok+"\r\nwell", "x"), checker.HTTP{Body: "well"}, patience, checker.Passed, ""},
		{"drips its body, and nobody wants it", drips(ok+"\r\n", "x"), checker.HTTP{}, patience, checker.Passed, ""},
		{"sends headers for ever", pours(ok, "X: y\r\n"), checker.HTTP{}, patience, checker.Failed, "the response header is longer than 64 kB"},
		{"sends one header for ever", pours(ok+"X: ", "y"), checker.HTTP{}, patience, checker.Failed, "the response header is longer than 64 kB"},
		{"sends zeros for ever", pours("", "\x00"), checker.HTTP{}, patience, checker.Failed, `it begins with "\x00`},
		{"continues for ever", pours("", "HTTP/1.1 100 Continue\r\n\r\n"), checker.HTTP{}, patience, checker.Failed, "the response header is longer than 64 kB"},
		{"answers for ever", pours(ok+"\r\n", "x"), checker.HTTP{Body: "well"}, patience, checker.Failed, `the body (262144 bytes read) does not match "well"`},
		{"answers for ever in tiny chunks", pours(ok+"Transfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n"), checker.HTTP{Body: "well"}, patience, checker.Failed, `the body (262144 bytes read) does not match "well"`},
		{"answers for ever, and nobody wants it", pours(ok+"\r\n", "x"), checker.HTTP{}, patience, checker.Passed, ""},

		{"closes without a word", func(c *net.TCPConn) { c.Close() }, checker.HTTP{}, patience, checker.Failed, ""},
		{"reads and closes without a word", says(""), checker.HTTP{}, patience, checker.Failed, "the server closed the connection without a response"},
		{"resets the connection", func(c *net.TCPConn) {
			http.ReadRequest(bufio.NewReader(c))
			c.SetLinger(0)
			c.Close()
		}, checker.HTTP{}, patience, checker.Failed, "connection reset by peer while reading the response header"},
		{"speaks SSH", says("SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"), checker.HTTP{}, patience, checker.Failed, `not an HTTP response: it begins with "SSH-2.0-OpenSSH_9.2p1 Debian-2"`},
		{"speaks nonsense", says("\x00\xff\x1b[31m\r\n\r\n"), checker.HTTP{}, patience, checker.Failed, "not an HTTP response"},
		{"speaks nonsense at length", says(strings.Repeat("ß\x00", 9000) + "\r\n\r\n"), checker.HTTP{}, patience, checker.Failed, "not an HTTP response"},
		{"says one letter", says("H"), checker.HTTP{}, patience, checker.Failed, `it begins with "H"`},
		{"stops in its header", says("HTTP/1.1 200 O"), checker.HTTP{}, patience, checker.Failed, "the server closed the connection"},
		{"has a nonsense header", says(ok + "no colon here\r\n\r\n"), checker.HTTP{}, patience, checker.Passed, ""},
		{"has a nonsense length", says(ok + "Content-Length: -7\r\n\r\n"), checker.HTTP{}, patience, checker.Passed, ""},
		{"has a transfer coding that is none", says(ok + "Transfer-Encoding: identity\r\n\r\nhi"), checker.HTTP{}, patience, checker.Passed, ""},
		{"has an empty length", says(ok + "Content-Length:\r\n\r\nhi"), checker.HTTP{}, patience, checker.Passed, ""},
		{"has two lengths", says(ok + "Content-Length: 2\r\nContent-Length: 3\r\n\r\nhi"), checker.HTTP{}, patience, checker.Passed, ""},
		{"has a length too large for any number", says(ok + "Content-Length: 99999999999999999999\r\n\r\nhi"), checker.HTTP{}, patience, checker.Passed, ""},
		{"has two status lines", says(ok + ok + "Content-Length: 2\r\n\r\nhi"), checker.HTTP{}, patience, checker.Passed, ""},
		{"ends its lines as Unix does", says("HTTP/1.0 200 OK\nContent-Type: text/plain\n\nhi"), checker.HTTP{Body: "^hi$"}, patience, checker.Passed, ""},
		{"has no reason beside its status", says("HTTP/1.1 200\r\n\r\n"), checker.HTTP{}, patience, checker.Passed, ""},
		{"has more than one space before its status", says("HTTP/1.1  200 OK\r\n\r\n"), checker.HTTP{}, patience, checker.Passed, ""},
		{"is of a version nobody knows", says("HTTP/1 200 OK\r\n\r\n"), checker.HTTP{}, patience, checker.Passed, ""},
		{"has bytes in its headers that no header may have", says(ok + "X-\x00\xff y: \x01\r\n folded\r\n: z\r\n\r\nhi"), checker.HTTP{Body: "^hi$"}, patience, checker.Passed, ""},
		{"has a header longer than any buffer", says(ok + "Cookie: " + strings.Repeat("x", 20_000) + "\r\n\r\nhi"), checker.HTTP{Body: "^hi$"}, patience, checker.Passed, ""},
		{"has a space before its colon", says(ok + "Content-Length : 2\r\n\r\nhi, and more"), checker.HTTP{Body: "^hi$"}, patience, checker.Passed, ""},
		{"switches protocols", hangs("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"), checker.HTTP{Status: checker.StatusRanges{{First: 101, Last: 101}}}, patience, checker.Passed, ""},
		{"has a status of four digits", says("HTTP/1.1 2000 OK\r\n\r\n"), checker.HTTP{}, patience, checker.Failed, `not an HTTP response: it begins with "HTTP/1.1 2000 OK"`},
		{"has no status", says("HTTP/1.1 OK\r\n\r\n"), checker.HTTP{}, patience, checker.Failed, `not an HTTP response: it begins with "HTTP/1.1 OK"`},
		{"says nothing after its status line", says(ok), checker.HTTP{}, patience, checker.Failed, "the server closed the connection"},
		{"speaks TLS instead", says("\x15\x03\x01\x00\x02\x02\x16"), checker.HTTP{}, patience, checker.Failed, `it begins with "\x15`},
	}
	p := newProber(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			addr := serve(t, tt.serve)
			expect(t, probeOnce(t, p, at(addr, tt.spec, tt.timeout)), tt.outcome, tt.detail)
		})
	}
}

// hangs returns a server that sends a text and then nothing, for ever.
func hangs(text string) func(*net.TCPConn) {
	return func(c *net.TCPConn) {
		http.ReadRequest(bufio.NewReader(c))
		io.WriteString(c, text)
	}
}

// resets returns a server that sends a text, waits until it is read, and then
// resets the connection.
func resets(text string) func(*net.TCPConn) {
	return func(c *net.TCPConn) {
		http.ReadRequest(bufio.NewReader(c))
		io.WriteString(c, text)
		time.Sleep(100 * time.Millisecond)
		c.SetLinger(0)
		c.Close()
	}
}

func TestHTTPBodyIsTheOneWanted(t *testing.T) {
	t.Parallel()
	const brief = 300 * time.Millisecond
	whole := func(body string) string { return fmt.Sprintf("%sContent-Length: %d\r\n\r\n%s", ok, len(body), body) }
	const cut = ok + "Content-Length: 1000\r\n\r\nOK"
	const noMatch, timeout = "does not match", "timeout after 300ms while reading the body"
	const broken = "the body is malformed after 2 bytes: unexpected EOF"
	tests := []struct {
		name   string
		serve  func(*net.TCPConn)
		body   string
		detail string // empty: it passes
	}{
		{"the whole body is OK", says(whole("OK")), "^OK$", ""},
		{"OK is not the whole body", says(whole("NOT OK AT ALL")), "^OK$", noMatch},
		{"OK is not the whole body, by other anchors", says(whole("NOT OK AT ALL")), `\AOK\z`, noMatch},
		{"the body does not begin with OK", says(whole("NOT OK")), "^OK", noMatch},
		{"the body does not end with OK", says(whole("OK, NOT")), "OK$", noMatch},
		{"OK is part of a word", says(whole("TOKEN")), `\bOK\b`, noMatch},
		{"OK in any case", says(whole("all is Ok")), "(?i)ok", ""},
		{"a dot that is quoted is a dot", says(whole("version 1x2")), `1\.2`, noMatch},
		{"a dot that is not quoted is any letter", says(whole("version 1x2")), `1.2`, ""},
		{"a letter that is none", says(ok + "\r\nall is \xff"), `is \x{fffd}`, ""},

		{"the end is where the server hung", hangs(cut), "(OK|FINE)$", timeout},
		{"the end of a word is where the server hung", hangs(cut), `\bOK\b`, timeout},
		{"the end is where the server hung, without a length", hangs(ok + "\r\nOK"), "^OK$", timeout},
		{"the end is where the server hung, in chunks", hangs(ok + "Transfer-Encoding: chunked\r\n\r\n2\r\nOK\r\n"), "^OK$", timeout},
		{"the end is where the connection was reset", resets(cut), "(OK|FINE)$", "connection reset by peer while reading the body"},
		{"the end is where the connection was closed", says(cut), "(OK|FINE)$", broken},
		{"the server closes by a reset, without a length", resets(ok + "\r\nOK"), "^OK$", ""},
		{"the server closes, without a length", says(ok + "\r\nOK"), "^OK$", ""},
		{"the server closes after the last chunk, without an empty line", says(ok + "Transfer-Encoding: chunked\r\n\r\n2\r\nOK\r\n0\r\n"), "^OK$", ""},
		{"the server closes after trailers", says(ok + "Transfer-Encoding: gzip, chunked\r\n\r\n2\r\nOK\r\n0\r\nX: y\r\n\r\n"), "^OK$", ""},
		{"the server keeps the connection after the last byte", hangs(whole("OK")), "^OK$", ""},
		{"the server resets after the last byte", resets(whole("OK")), "^OK$", ""},
		{"the server says that there is no transfer coding", says(ok + "Transfer-Encoding: identity\r\nContent-Length: 2\r\n\r\nOK"), "^OK$", ""},
		{"the server says an empty length", says(ok + "Content-Length:\r\n\r\nOK"), "^OK$", ""},
		{"the server says more after the last byte", says(whole("OK") + "\r\n\r\n"), "^OK$", ""},
		{"an expression before the hang", hangs(cut + ", and more"), "(OK|FINE)", ""},
		{"plain text right before the hang", hangs(cut), "OK", ""},
		{"plain text right before the reset", resets(cut), "OK", ""},
	}
	p := newProber(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			outcome, limit := checker.Passed, patience
			if tt.detail != "" {
				outcome = checker.Failed
			}
			if tt.detail == timeout {
				limit = brief
			}
			expect(t, probeOnce(t, p, at(serve(t, tt.serve), checker.HTTP{Body: tt.body}, limit)), outcome, tt.detail)
		})
	}
}

func TestHTTPBodyPlainTextNeedsNoExpression(t *testing.T) {
	for _, tt := range []struct{ body, plain string }{
		{"OK", "OK"},
		{`all\.is [w]ell`, "all.is well"},
		{`\Q<p>(1)</p>\E`, "<p>(1)</p>"},
		{"^OK", ""},
		{"OK$", ""},
		{`\AOK`, ""},
		{`OK\z`, ""},
		{`\bOK`, ""},
		{"(?i)OK", ""},
		{"OK|FINE", ""},
		{"OK?", ""},
		{"(?:)", ""},
	} {
		p, err := compilePattern(tt.body)
		if err != nil {
			t.Fatal(err)
		}
		if string(p.plain) != tt.plain || (p.expression == nil) != (tt.plain != "") {
			t.Errorf("body %q: plain text %q, expression %v; want plain text %q, else an expression", tt.body, p.plain, p.expression, tt.plain)
		}
	}
}

// FuzzBody compares what is found in a body with what the expression says of
// the text as a whole.
func FuzzBody(f *testing.F) {
	f.Add("OK", "NOT OK")
	f.Add("^OK$", "NOT OK AT ALL")
	f.Add(`(?i)o\bK|$^`, "ok")
	f.Fuzz(func(t *testing.T, expression, body string) {
		c, err := newHTTPCheck(New(nil), checker.HTTP{Body: expression})
		if err != nil || expression == "" {
			t.Skip()
		}
		got := c.body.judge(iotest.OneByteReader(strings.NewReader(body))) == nil
		want := regexp.MustCompile(expression).MatchString(body)
		if got != want {
			t.Errorf("%q in %q: found: %v, want %v", expression, body, got, want)
		}
		without, err := newHTTPCheck(New(nil), checker.HTTP{Not: expression})
		if err != nil {
			t.Fatal(err)
		}
		if got := without.body.judge(iotest.OneByteReader(strings.NewReader(body))) == nil; got == want {
			t.Errorf("%q not in %q: %v, want %v", expression, body, got, !want)
		}
	})
}

func TestHTTPRefused(t *testing.T) {
	expect(t, probeOnce(t, newProber(t), at(closedPort(t), checker.HTTP{}, patience)), checker.Failed, "connection refused")
}

func TestHTTPRequest(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		spec checker.HTTP
		port uint16
		addr string
		want string
	}{
		{"the defaults", checker.HTTP{}, 8080, "192.0.2.1",
			"GET / HTTP/1.1\r\nHost: 192.0.2.1:8080\r\nUser-Agent: lvsd\r\nConnection: close\r\n\r\n"},
		{"the scheme's own port is left out", checker.HTTP{}, 80, "192.0.2.1",
			"GET / HTTP/1.1\r\nHost: 192.0.2.1\r\nUser-Agent: lvsd\r\nConnection: close\r\n\r\n"},
		{"IPv6", checker.HTTP{Secure: true}, 443, "2001:db8::1",
			"GET / HTTP/1.1\r\nHost: [2001:db8::1]\r\nUser-Agent: lvsd\r\nConnection: close\r\n\r\n"},
		{"a zone stays at home", checker.HTTP{}, 81, "fe80::1%eth0",
			"GET / HTTP/1.1\r\nHost: [fe80::1]:81\r\nUser-Agent: lvsd\r\nConnection: close\r\n\r\n"},
		{"everything", checker.HTTP{Method: "POST", Path: "/h?q=1", Host: "a.example", Headers: []checker.Header{{Name: "Accept", Value: "x/y"}, {Name: "user-agent", Value: "me"}}}, 80, "192.0.2.1",
			"POST /h?q=1 HTTP/1.1\r\nHost: a.example\r\nAccept: x/y\r\nuser-agent: me\r\nConnection: close\r\n\r\n"},
		{"for a proxy", checker.HTTP{Proxy: true, Host: "a.example:81", Path: "/x?y"}, 3128, "192.0.2.1",
			"GET http://a.example:81/x?y HTTP/1.1\r\nHost: a.example:81\r\nUser-Agent: lvsd\r\nConnection: close\r\n\r\n"},
		{"a body", checker.HTTP{Method: "PUT", Send: []byte("a=1\n")}, 80, "192.0.2.1",
			"PUT / HTTP/1.1\r\nHost: 192.0.2.1\r\nUser-Agent: lvsd\r\nConnection: close\r\nContent-Length: 4\r\n\r\na=1\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, err := newHTTPCheck(New(nil), tt.spec)
			if err != nil {
				t.Fatal(err)
			}
			got := string(c.request(at(netip.AddrPortFrom(netip.MustParseAddr(tt.addr), tt.port), tt.spec, patience), step{c.Method, c.Path}, credentials{}))
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("request (-want +got):\n%s", diff)
			}
		})
	}
}

func TestHTTPAsksOneServerOnce(t *testing.T) {
	var asked, connections atomic.Int64
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		http.Redirect(w, r, "/elsewhere", http.StatusFound)
	}))
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			connections.Add(1)
		}
	}
	server.Start()
	defer server.Close()
	t.Setenv("http_proxy", "http://127.0.0.1:1")
	target := at(server.Listener.Addr().(*net.TCPAddr).AddrPort(), checker.HTTP{Status: checker.StatusRanges{{First: 302, Last: 302}}}, patience)
	p := newProber(t)
	for range 3 {
		expect(t, probeOnce(t, p, target), checker.Passed, "")
	}
	if asked.Load() != 3 || connections.Load() != 3 {
		t.Errorf("3 probes made %d requests on %d connections, want 3 on 3", asked.Load(), connections.Load())
	}
}

func TestHTTPNginx(t *testing.T) {
	t.Parallel()
	path, err := exec.LookPath("nginx")
	if err != nil {
		t.Skip("needs nginx")
	}
	director, server := newLAN(t)
	root := t.TempDir()
	if err := os.WriteFile(filepath.Join(root, "index.html"), []byte("<h1>It works</h1>\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(root, "nginx.conf")
	err = os.WriteFile(config, fmt.Appendf(nil, `daemon off; master_process off; user root;
pid %[1]s/pid; error_log %[1]s/error.log;
events {}
http {
  access_log %[1]s/access.log; client_body_temp_path %[1]s/b; proxy_temp_path %[1]s/p;
  fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s;
  server { listen 10.99.0.2:80; listen [fd99::2]:80; root %[1]s; }
}
`, root), 0o644)
	if err != nil {
		t.Fatal(err)
	}
	nginx := exec.Command(path, "-c", config, "-e", filepath.Join(root, "error.log"))
	server.do(func() { err = nginx.Start() })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		nginx.Process.Kill()
		nginx.Wait()
	})
	p := newProber(t)
	probe := func(addr string, spec checker.Options) (r checker.Result) {
		director.do(func() { r = probeOnce(t, p, at(netip.MustParseAddrPort(addr), spec, patience)) })
		return r
	}
	for range 100 {
		if probe("10.99.0.2:80", checker.TCP{}).Outcome == checker.Passed {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	for _, addr := range []string{"10.99.0.2:80", "[fd99::2]:80"} {
		expect(t, probe(addr, checker.TCP{}), checker.Passed, "")
		expect(t, probe(addr, checker.HTTP{}), checker.Passed, "")
		expect(t, probe(addr, checker.HTTP{Method: "HEAD", Path: "/index.html"}), checker.Passed, "")
		expect(t, probe(addr, checker.HTTP{Body: "It works"}), checker.Passed, "")
		expect(t, probe(addr, checker.HTTP{Body: "It does not"}), checker.Failed, "the body (18 bytes read) does not match")
		expect(t, probe(addr, checker.HTTP{Path: "/missing"}), checker.Failed, "status 404, want 200-299")
		expect(t, probe(addr, checker.HTTP{Secure: true}), checker.Failed, "the server does not speak TLS")
	}
	server.do(func() { err = nginx.Process.Signal(os.Kill) })
	nginx.Wait()
	expect(t, probe("10.99.0.2:80", checker.HTTP{}), checker.Failed, "connection refused")
	log, err := os.ReadFile(filepath.Join(root, "error.log"))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(log), "reset by peer") {
		t.Errorf("the probes fill the server's log:\n%s", log)
	}
}

func BenchmarkMatchPage(b *testing.B) {
	page := ok + "\r\n" + strings.Repeat("<p>Lorem ipsum dolor sit amet, consectetur</p>\n", 220) + "well"
	c, err := newHTTPCheck(New(nil), checker.HTTP{Body: "well"})
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(page)))
	for b.Loop() {
		if err := c.body.judge(strings.NewReader(page)); err != nil {
			b.Fatal(err)
		}
	}
}

// FuzzResponse gives whatever a server may send to the reader of responses.
func FuzzResponse(f *testing.F) {
	f.Add([]byte(ok + "Content-Length: 4\r\n\r\nwell"))
	f.Add([]byte(ok + "Transfer-Encoding: chunked\r\n\r\n4\r\nwell\r\n0\r\n\r\n"))
	f.Add([]byte("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 503 Busy\r\n\r\n"))
	f.Add([]byte("SSH-2.0-x\r\n"))
	f.Add([]byte("HTTP/1.1 302 Found\r\nLocation: /next\r\n\r\n"))
	sum := sha256.Sum256([]byte("well"))
	c, err := newHTTPCheck(New(nil), checker.HTTP{
		Body: "well", Not: "ill", Redirects: 2, MaxBytes: 100, Digest: checker.Digest(fmt.Sprintf("sha256:%x", sum)),
		Answer: []checker.Header{{Name: "Content-Length", Value: "4"}},
	})
	if err != nil {
		f.Fatal(err)
	}
	target := at(netip.MustParseAddrPort("192.0.2.1:80"), c.HTTP, time.Second)
	f.Fuzz(func(t *testing.T, answer []byte) {
		steps := []step{{c.Method, c.Path}}
		response, err := c.ask(struct {
			io.Reader
			io.Writer
		}{strings.NewReader(string(answer)), io.Discard}, target, steps[0], credentials{})
		if err == nil {
			_, err = c.judge(target, steps, &response.httpAnswer)
		}
		r := verdict(t.Context(), target, err)
		if r.Outcome == checker.NotRun || r.Outcome == checker.Passed && !strings.Contains(string(answer), "HTTP/") {
			t.Fatalf("%q: %v %s", answer, r.Outcome, r.Detail)
		}
		if len(r.Detail) > detailLimit+10 || strings.ContainsAny(r.Detail, "\r\n") {
			t.Fatalf("%q: a detail that is no short line: %q", answer, r.Detail)
		}
	})
}
