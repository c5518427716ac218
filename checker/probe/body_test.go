package probe

import (
	"compress/gzip"
	"crypto/md5"
	"crypto/sha256"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsd/lvsd/checker"
)

func md5Of(text string) checker.Digest {
	return checker.Digest(fmt.Sprintf("md5:%x", md5.Sum([]byte(text))))
}

func sha256Of(text string) checker.Digest {
	return checker.Digest(fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(text))))
}

// bomb is what 10 MB of zeros are in gzip.
func bomb() string {
	var b strings.Builder
	w := gzip.NewWriter(&b)
	w.Write(make([]byte, 10<<20))
	w.Close()
	return b.String()
}

func TestHTTPWhatTheBodyMustBe(t *testing.T) {
	t.Parallel()
	whole := func(body string) string { return fmt.Sprintf("%sContent-Length: %d\r\n\r\n%s", ok, len(body), body) }
	const cut, brief = ok + "Content-Length: 1000\r\n\r\nOK", 300 * time.Millisecond
	large, larger := strings.Repeat("x", 300_000), strings.Repeat("y", checker.SizeLimit+10)
	packed := bomb()
	tests := []struct {
		name   string
		serve  func(*net.TCPConn)
		spec   checker.HTTP
		detail string // empty: it passes
	}{
		{"the text is there", says(whole("a+b (c)")), checker.HTTP{Text: []byte("a+b (c")}, ""},
		{"the text has a zero byte", says(whole("a\x00b")), checker.HTTP{Text: []byte("\x00")}, ""},
		{"the text is not there", says(whole("a b")), checker.HTTP{Text: []byte("a+b")}, `the body (3 bytes read) does not match "a+b"`},

		{"what must not come does not come", says(whole("all is well")), checker.HTTP{Not: "(?i)error"}, ""},
		{"what must not come comes", says(whole("Error 17")), checker.HTTP{Not: "(?i)error"}, `the body has what must not come: it matches "(?i)error"`},
		{"what must not come comes last", says(whole(strings.Repeat("x", 200_000) + "error")), checker.HTTP{Not: "error"}, "what must not come"},
		{"what must not come comes too late to be seen", says(whole(large + "error")), checker.HTTP{Not: "error"}, ""},
		{"what must not come comes after what must", says(whole("well, error")), checker.HTTP{Body: "^well", Not: "err.r"}, "what must not come"},
		{"what must come comes after what must not", says(whole("error, well")), checker.HTTP{Text: []byte("well"), Not: "err.r"}, "what must not come"},
		{"what must come does not, and what must not neither", says(whole("so so")), checker.HTTP{Body: "^well", Not: "err.r"}, "does not match \"^well\""},
		{"what must come, long before the end, and what must not does not", says(whole("well" + large)), checker.HTTP{Body: "^well", Not: "err.r"}, ""},
		{"what must not end the body ends a part that is cut off", says(cut), checker.HTTP{Not: "OK$"}, "the body is malformed after 2 bytes: unexpected EOF"},
		{"what must not come may come yet where the server hangs", hangs(cut), checker.HTTP{Text: []byte("OK"), Not: "error"}, "timeout after 300ms while reading the body"},
		{"an empty body has nothing that must not come", says(whole("")), checker.HTTP{Not: "."}, ""},

		{"the digest of the page", says(whole("well")), checker.HTTP{Digest: sha256Of("well")}, ""},
		{"the digest that genhash prints", says(whole("well")), checker.HTTP{Digest: md5Of("well")}, ""},
		{"a page has changed", says(whole("ill")), checker.HTTP{Digest: md5Of("well")}, "the body (3 bytes) has the digest " + string(md5Of("ill")[4:]) + ", want " + string(md5Of("well")[4:])},
		{"the digest of a page in chunks", says(ok + "Transfer-Encoding: chunked\r\n\r\n2\r\nwe\r\n2\r\nll\r\n0\r\n\r\n"), checker.HTTP{Digest: sha256Of("well")}, ""},
		{"the digest of a page that ends with the connection", says(ok + "\r\nwell"), checker.HTTP{Digest: sha256Of("well")}, ""},
		{"the digest of an empty page", says(whole("")), checker.HTTP{Digest: sha256Of("")}, ""},
		{"the digest of a large page of which the beginning matches", says(whole("well" + large)), checker.HTTP{Body: "^well", Not: "ill", Digest: sha256Of("well" + large)}, ""},
		{"a page that is cut off has no digest", says(cut), checker.HTTP{Digest: sha256Of("OK")}, "the body is malformed after 2 bytes"},
		{"a page that hangs has no digest", hangs(cut), checker.HTTP{Digest: sha256Of("OK")}, "timeout after 300ms while reading the body"},
		{"a page that is too large for a digest", says(whole(larger)), checker.HTTP{Digest: sha256Of(larger)}, "the body has more than 1048576 bytes, which is all that is read of one"},
		{"a page without end has no digest", pours(ok+"\r\n", "x"), checker.HTTP{Digest: sha256Of("OK")}, "the body has more than 1048576 bytes"},
		{"a page without end in tiny chunks has no digest", pours(ok+"Transfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n"), checker.HTTP{Digest: sha256Of("OK")}, "the body is too long: more than 2048 kB came"},
		{"a bomb of gzip is not unpacked: the digest is that of what came", says(fmt.Sprintf("%sContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s", ok, len(packed), packed)), checker.HTTP{Digest: sha256Of(packed), MaxBytes: 20_000}, ""},

		{"a page within its bounds", says(whole("well")), checker.HTTP{MinBytes: 4, MaxBytes: 4}, ""},
		{"a page that is too small", says(whole("well")), checker.HTTP{MinBytes: 5}, "the body has 4 bytes, want 5 at least"},
		{"a page that is too large", says(whole("well")), checker.HTTP{MaxBytes: 3}, "the body has more than 3 bytes"},
		{"a page that is large enough, of which more hangs", hangs(cut), checker.HTTP{MinBytes: 2}, "timeout after 300ms while reading the body"},
		{"a page that is too large, of which more hangs", hangs(cut), checker.HTTP{MaxBytes: 1}, "the body has more than 1 bytes"},
		{"a large page that must be large", says(whole(large)), checker.HTTP{MinBytes: 280_000}, ""},

		{"a header is as wanted", says(ok + "Content-Type: text/html\r\n\r\n"), checker.HTTP{Answer: []checker.Header{{Name: "content-type", Value: "^text/"}}}, ""},
		{"one of several headers is as wanted", says(ok + "Via: a\r\nVia: b\r\n\r\n"), checker.HTTP{Answer: []checker.Header{{Name: "Via", Value: "^a$"}}}, ""},
		{"a header is otherwise", says(ok + "Content-Type: image/png\r\n\r\n"), checker.HTTP{Answer: []checker.Header{{Name: "Content-Type", Value: "^text/"}}}, `the header Content-Type: "image/png" does not match "^text/"`},
		{"a header is missing", says(ok + "X: y\r\n\r\n"), checker.HTTP{Answer: []checker.Header{{Name: "Via", Value: "."}}}, `the answer has no header Via, want one that matches "."`},
		{"a header only of an informational answer", says("HTTP/1.1 103 Early Hints\r\nVia: a\r\n\r\n" + ok + "\r\n"), checker.HTTP{Answer: []checker.Header{{Name: "Via", Value: "."}}}, "the answer has no header Via"},
	}
	p := newProber(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			outcome, limit := checker.Passed, patience
			if tt.detail != "" {
				outcome = checker.Failed
			}
			if strings.HasPrefix(tt.detail, "timeout") {
				limit = brief
			}
			expect(t, probeOnce(t, p, at(serve(t, tt.serve), tt.spec, limit)), outcome, tt.detail)
		})
	}
}

// A redirector answers by what its map says of a path: another one, or "" for a page.
type redirector struct {
	to     map[string]string
	status int

	mu    sync.Mutex
	asked []string
}

func (d *redirector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	d.mu.Lock()
	d.asked = append(d.asked, strings.TrimSpace(r.Method+" "+r.RequestURI+" "+string(body)))
	d.mu.Unlock()
	if to := d.to[r.RequestURI]; to != "" {
		w.Header().Set("Location", strings.ReplaceAll(to, "HOST", r.Host))
		w.WriteHeader(d.status)
	}
}

func TestHTTPRedirects(t *testing.T) {
	t.Parallel()
	get, post := checker.HTTP{Redirects: 2}, checker.HTTP{Redirects: 2, Method: "POST", Send: []byte("a=1")}
	tests := []struct {
		name   string
		to     map[string]string
		status int
		spec   checker.HTTP
		asked  []string
		detail string
	}{
		{"one is followed", map[string]string{"/": "/home?a=%20#top"}, 302, get, []string{"GET /", "GET /home?a=%20"}, ""},
		{"one with the whole address is followed", map[string]string{"/?x": "http://HOST"}, 301, checker.HTTP{Redirects: 2, Path: "/?x"}, []string{"GET /?x", "GET /"}, ""},
		{"one that is relative is followed", map[string]string{"/a/b": "../c"}, 302, checker.HTTP{Redirects: 2, Path: "/a/b"}, []string{"GET /a/b", "GET /c"}, ""},
		{"two are followed", map[string]string{"/": "/1", "/1": "/2"}, 302, get, []string{"GET /", "GET /1", "GET /2"}, ""},
		{"three are too many", map[string]string{"/": "/1", "/1": "/2", "/2": "/3"}, 302, get, []string{"GET /", "GET /1", "GET /2"}, `more than 2 redirects: status 302 leads from "/2" to "/3"`},
		{"they lead in a circle", map[string]string{"/": "/1", "/1": "/"}, 307, get, []string{"GET /", "GET /1"}, `a redirect loop: status 307 leads from "/1" back to "/"`},
		{"one leads to itself", map[string]string{"/": "/"}, 302, get, []string{"GET /"}, `a redirect loop: status 302 leads from "/" back to "/"`},
		{"one to another server is not followed", map[string]string{"/": "http://other.example/"}, 302, get, []string{"GET /"}, `status 302 leads to "http://other.example/", which is not this server (http://127.0.0.1`},
		{"one to another scheme is not followed", map[string]string{"/": "https://HOST/"}, 301, get, []string{"GET /"}, "which is not this server"},
		{"one to another port is not followed", map[string]string{"/": "//127.0.0.1:1/"}, 301, get, []string{"GET /"}, "which is not this server"},
		{"one to a mail address is not followed", map[string]string{"/": "mailto:root@localhost"}, 301, get, []string{"GET /"}, "which is not this server"},
		{"one to nonsense is not followed", map[string]string{"/": "http://[::1"}, 301, get, []string{"GET /"}, `status 301 leads to "http://[::1", which is no address`},
		{"one to nowhere is not followed", map[string]string{"/": " "}, 301, get, []string{"GET /"}, `status 301 leads to "", which is no address`},
		{"one that is expected is an answer", map[string]string{"/": "/home"}, 302, checker.HTTP{Redirects: 2, Status: checker.StatusRanges{{First: 302, Last: 302}}}, []string{"GET /"}, ""},
		{"RFC 9110, section 15.4.4: the answer to a POST is looked at by GET", map[string]string{"/": "/home"}, 303, post, []string{"POST / a=1", "GET /home"}, ""},
		{"RFC 9110, section 15.4.8: a POST is sent again as it is", map[string]string{"/": "/home"}, 307, post, []string{"POST / a=1", "POST /home a=1"}, ""},
		{"a HEAD stays one", map[string]string{"/": "/home"}, 303, checker.HTTP{Redirects: 2, Method: "HEAD"}, []string{"HEAD /", "HEAD /home"}, ""},
		{"a status that is no redirect has a Location", map[string]string{"/": "/home"}, 201, checker.HTTP{Redirects: 2, Status: checker.StatusRanges{{First: 200, Last: 200}}}, []string{"GET /"}, "status 201, want 200"},
	}
	p := newProber(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := &redirector{to: tt.to, status: tt.status}
			server := httptest.NewServer(d)
			defer server.Close()
			outcome := checker.Passed
			if tt.detail != "" {
				outcome = checker.Failed
			}
			expect(t, probeOnce(t, p, at(server.Listener.Addr().(*net.TCPAddr).AddrPort(), tt.spec, patience)), outcome, tt.detail)
			if diff := cmp.Diff(tt.asked, d.asked); diff != "" {
				t.Errorf("asked (-want +got):\n%s", diff)
			}
		})
	}
}

// However large a body is that a server sends, a probe keeps little of it.
func TestHTTPKeepsNoBody(t *testing.T) {
	c, err := compileBody(checker.HTTP{Body: "^x+$", Not: "[^xy]", Digest: sha256Of("z"), MinBytes: 1})
	if err != nil {
		t.Fatal(err)
	}
	result := testing.Benchmark(func(b *testing.B) {
		for range b.N {
			c.judge(io.LimitReader(endless{}, 4<<20))
		}
	})
	if n := result.AllocedBytesPerOp(); n > 64<<10 {
		t.Errorf("judging a body of 4 MiB takes %d bytes of memory, want 64 kB at most", n)
	}
}

type endless struct{}

func (endless) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = 'x'
	}
	return len(b), nil
}

// Whatever a server makes of a password: nobody is shown it.
func TestHTTPLogin(t *testing.T) {
	t.Parallel()
	const secret = "aVeryLongSecretThatNobodyMaySee"
	echo := func(w http.ResponseWriter, r *http.Request) {
		user, password, ok := r.BasicAuth()
		if !ok || user != "lvsd" || password != secret {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.Header().Set("X-Echo", r.Header.Get("Authorization")+" "+password)
		if r.URL.Path == "/away" {
			w.Header().Set("Location", "http://other.example/"+password)
			w.WriteHeader(http.StatusFound)
		}
	}
	server := httptest.NewServer(http.HandlerFunc(echo))
	defer server.Close()
	one := server.Listener.Addr().(*net.TCPAddr).AddrPort()
	two := serveHTTP2(t, nil, http.HandlerFunc(echo))
	right, wrong := passwordAt(t, "lvsd", secret), passwordAt(t, "lvsd", "guess")
	never := []checker.Header{{Name: "X-Echo", Value: "^never$"}}
	p := newProber(t)
	for _, version := range []string{"", checker.HTTP2} {
		addr := one
		if version == checker.HTTP2 {
			addr = two
		}
		for _, tt := range []struct {
			name    string
			spec    checker.HTTP
			outcome checker.Outcome
			reason  checker.Reason
			detail  string
		}{
			{"the right one", checker.HTTP{Login: right}, checker.Passed, 0, ""},
			{"the wrong one", checker.HTTP{Login: wrong}, checker.Failed, checker.LoginRefused, "status 401, want 200-299"},
			{"none", checker.HTTP{}, checker.Failed, checker.LoginRefused, "status 401, want 200-299"},
			{"a file that is not there", checker.HTTP{Login: checker.Login{User: "a", Password: checker.Secret{File: "/nowhere/password"}}}, checker.NotRun, checker.NoProbe, "the check cannot log in: there is no password file"},
			{"it is repeated in a header", checker.HTTP{Login: right, Answer: never}, checker.Failed, checker.WrongAnswer, "the header X-Echo: \"Basic [hidden] [hidden]\" does not match"},
			{"it is repeated in an address", checker.HTTP{Login: right, Path: "/away", Redirects: 1}, checker.Failed, checker.WrongStatus, "http://other.example/[hidden]"},
		} {
			t.Run(tt.name, func(t *testing.T) {
				tt.spec.Version = version
				got := probeOnce(t, p, at(addr, tt.spec, patience))
				expect(t, got, tt.outcome, tt.detail)
				if got.Reason != tt.reason || strings.Contains(got.Detail, secret[:8]) {
					t.Errorf("%v: %s, want %v", got.Reason, got.Detail, tt.reason)
				}
			})
		}
	}
	mirror := serve(t, func(c *net.TCPConn) { io.Copy(c, io.LimitReader(c, 2000)) })
	got := probeOnce(t, p, at(mirror, checker.HTTP{Login: right}, patience))
	expect(t, got, checker.Failed, "not an HTTP response: it begins with \"GET / HTTP/1.1\"")
}
