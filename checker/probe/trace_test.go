package probe

import (
	"bufio"
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lvsd/lvsd/checker"
)

// TestHTTPEndsAsAPatientClientDoes looks at the end of the connection from the
// server's side.
func TestHTTPEndsAsAPatientClientDoes(t *testing.T) {
	t.Parallel()
	length := func(body string) string { return fmt.Sprintf("%sContent-Length: %d\r\n\r\n", ok, len(body)) + body }
	page := strings.Repeat("x", 500_000)
	tests := []struct {
		name   string
		pieces []string // what the server sends, 120 ms apart, and closes with the last one
		keeps  bool     // the server does not close
		spec   checker.HTTP
		reset  bool
	}{
		{"only the status is asked", []string{length("hi")}, false, checker.HTTP{}, false},
		{"the body comes later than the status", []string{length("hi")[:len(length("hi"))-2], "h", "i"}, false, checker.HTTP{}, false},
		{"the body is longer than what a check looks at", []string{length(page)}, false, checker.HTTP{}, false},
		{"the body matches early", []string{length("OK" + page)}, false, checker.HTTP{Body: "OK"}, false},
		{"the body goes on after the match, without a length", []string{ok + "\r\nOK", page}, false, checker.HTTP{Body: "OK"}, false},
		{"the body goes on after the match, in chunks", []string{ok + "Transfer-Encoding: chunked\r\n\r\n2\r\nOK\r\n", "3\r\nyes\r\n", "0\r\n", "X: y\r\n\r\n"}, false, checker.HTTP{Body: "OK"}, false},
		{"the chunks are nonsense", []string{ok + "Transfer-Encoding: chunked\r\n\r\nzz", "zz"}, false, checker.HTTP{}, false},
		{"the server keeps the connection", []string{length("hi")}, true, checker.HTTP{}, false},
		{"HEAD, and the server keeps the connection", []string{ok + "Content-Length: 9\r\n\r\n"}, true, checker.HTTP{Method: "HEAD"}, false},
		{"the status is a wrong one", []string{"HTTP/1.1 503 Busy\r\n\r\n", "sorry"}, false, checker.HTTP{Status: checker.StatusRanges{{First: 503, Last: 503}}}, false},
		{"the answer does not end, and its length is unknown", []string{ok + "\r\nhi"}, true, checker.HTTP{}, true},
		{"the answer does not end, though its length is known", []string{ok + "Content-Length: 9\r\n\r\nhi"}, true, checker.HTTP{}, true},
		{"the answer is larger than anybody reads", []string{length(strings.Repeat("x", 20<<20))}, false, checker.HTTP{}, true},
	}
	p := newProber(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			ends, clients := make(chan error, 1), make(chan net.Addr, 1)
			addr := serve(t, func(c *net.TCPConn) {
				clients <- c.RemoteAddr()
				request := bufio.NewReader(c)
				http.ReadRequest(request)
				last := len(tt.pieces) - 1
				var err error
				for _, piece := range tt.pieces[:last] {
					_, err = io.WriteString(c, piece)
					time.Sleep(closePatience + 20*time.Millisecond)
				}
				switch {
				case err != nil:
				case tt.keeps:
					_, err = io.WriteString(c, tt.pieces[last])
				default:
					err = lastWords(c, tt.pieces[last])
				}
				if err == nil {
					_, err = request.ReadByte()
				}
				ends <- err
			})
			expect(t, probeOnce(t, p, at(addr, tt.spec, patience)), checker.Passed, "")
			if err := <-ends; errors.Is(err, io.EOF) == tt.reset {
				t.Errorf("the server's connection ended with %v; want a reset: %v", err, tt.reset)
			}
			if !tt.keeps && leftOn(t, <-clients, addr.Port()) {
				t.Error("a connection that the server closed is in TIME_WAIT on this side")
			}
		})
	}
}

// lastWords sends a text and the end of the connection in one segment, or with its last
// one: a server that is late with that, as a busy machine makes it, is another case.
func lastWords(c *net.TCPConn, text string) error {
	rest := len(text) - min(len(text), 1000)
	if _, err := io.WriteString(c, text[:rest]); err != nil {
		return err
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	var result error
	err = raw.Write(func(fd uintptr) bool {
		if result = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_CORK, 1); result != nil {
			return true
		}
		if _, result = unix.Write(int(fd), []byte(text[rest:])); result == unix.EAGAIN {
			return false
		}
		result = cmp.Or(result, unix.Shutdown(int(fd), unix.SHUT_WR))
		return true
	})
	return cmp.Or(err, result)
}

// A server that closes a little after its last word is waited for.
func TestHTTPWaitsForALateEnd(t *testing.T) {
	t.Parallel()
	type ending struct {
		client net.Addr
		after  time.Duration // it began to send its last word
		err    error
	}
	ends := make(chan ending, 1)
	addr := serve(t, func(c *net.TCPConn) {
		request := bufio.NewReader(c)
		http.ReadRequest(request)
		began := time.Now()
		io.WriteString(c, ok+"Content-Length: 2\r\n\r\nhi")
		time.Sleep(closePatience / 4)
		c.CloseWrite()
		after := time.Since(began)
		_, err := request.ReadByte()
		ends <- ending{c.RemoteAddr(), after, err}
	})
	expect(t, probeOnce(t, newProber(t), at(addr, checker.HTTP{}, patience)), checker.Passed, "")
	switch end := <-ends; {
	case !errors.Is(end.err, io.EOF):
		t.Errorf("the server's connection ended with %v", end.err)
	case end.after >= closePatience:
		t.Logf("this machine took %v for it: too busy to tell", end.after)
	case leftOn(t, end.client, addr.Port()):
		t.Error("a connection that the server closed is in TIME_WAIT on this side")
	}
}

// ourTimeWaits are the client's ends of connections to a port that are in TIME_WAIT, as
// /proc/net/tcp writes them. An earlier server may have had the same port.
func ourTimeWaits(t *testing.T, port uint16) (clients []string) {
	sockets, err := os.ReadFile("/proc/thread-self/net/tcp")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(sockets)) {
		f := strings.Fields(line)
		if strings.HasSuffix(f[2], hexPort(port)) && f[3] == "06" {
			clients = append(clients, f[1])
		}
	}
	return clients
}

// leftOn reports whether the client's end of a connection to a port is in TIME_WAIT.
func leftOn(t *testing.T, client net.Addr, port uint16) bool {
	own := hexPort(client.(*net.TCPAddr).AddrPort().Port())
	return slices.ContainsFunc(ourTimeWaits(t, port), func(s string) bool { return strings.HasSuffix(s, own) })
}

// TestHTTPSaysGoodbyeByTLS: without close_notify, OpenSSL tells of an
// unexpected end of file.
func TestHTTPSaysGoodbyeByTLS(t *testing.T) {
	a := newAuthority(t)
	ends := make(chan error, 1)
	addr := serve(t, func(c *net.TCPConn) {
		secure := tls.Server(c, a.config(t, -1, 1, "a.example"))
		request := bufio.NewReader(secure)
		http.ReadRequest(request)
		io.WriteString(secure, ok+"Content-Length: 2\r\n\r\nhi")
		secure.CloseWrite()
		// What crypto/tls reads as io.EOF may be the end of TCP alone, so it is
		// read below TLS: an alert is left there.
		rest, err := io.ReadAll(c)
		if err == nil && (len(rest) == 0 || rest[0] != 0x15 && rest[0] != 0x17) {
			err = fmt.Errorf("the client's last words are %x, want an alert", rest)
		}
		ends <- err
	})
	expect(t, probeOnce(t, newProber(t), at(addr, a.spec(), patience)), checker.Passed, "")
	if err := <-ends; err != nil {
		t.Error(err)
	}
}

// A realServer is a web server of Debian's, which answers at an address, and
// writes its errors to its standard error.
type realServer struct {
	name    string
	command []string
	config  string // the text of %[1]s/config; %[1]s is its folder, %[2]s the address
	// noise is what it writes there though nothing is wrong.
	noise string
}

var realServers = []realServer{
	{"nginx", []string{"nginx", "-c", "%[1]s/config", "-e", "stderr"}, `daemon off; master_process off; pid %[1]s/pid; error_log stderr info;
events {}
http {
  access_log off; client_body_temp_path %[1]s/b; proxy_temp_path %[1]s/p; fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s;
  server { listen %[2]s; root %[1]s; error_page 404 =404 /large; }
}`, `\[notice\]|/missing`},
	{"nginx by TLS", []string{"nginx", "-c", "%[1]s/config", "-e", "stderr"}, `daemon off; master_process off; pid %[1]s/pid; error_log stderr info;
events {}
http {
  access_log off; client_body_temp_path %[1]s/b; proxy_temp_path %[1]s/p; fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s;
  server { listen %[2]s ssl; ssl_certificate %[1]s/pem; ssl_certificate_key %[1]s/pem; root %[1]s; error_page 404 =404 /large; }
}`, `\[notice\]|/missing`},
	{"apache", []string{"apache2", "-X", "-f", "%[1]s/config"}, `ServerRoot /usr/lib/apache2
ServerName localhost
Listen %[2]s
PidFile %[1]s/pid
DocumentRoot %[1]s
ErrorLog /dev/stderr
LogLevel info
User www-data
Group www-data
LoadModule mpm_event_module modules/mod_mpm_event.so
LoadModule authz_core_module modules/mod_authz_core.so
LoadModule reqtimeout_module modules/mod_reqtimeout.so`, `AH0048[89]|AH00094|AH00163|AH00558|/missing`},
	{"lighttpd", []string{"lighttpd", "-D", "-f", "%[1]s/config"}, `server.document-root = "%[1]s"
server.bind = "%[3]s"
server.port = %[4]d
server.errorlog = "/dev/stderr"
debug.log-condition-handling = "disable"
debug.log-timeouts = "enable"`, `server started|warning: `},
	{"python", []string{"python3", "-m", "http.server", "--bind", "%[3]s", "--directory", "%[1]s", "%[4]d"}, "", `"(GET|HEAD) /|File not found|Serving HTTP`},
	{"busybox", []string{"busybox", "httpd", "-f", "-v", "-p", "%[2]s", "-h", "%[1]s"}, "", `response:\d+|url:`},
	{"haproxy", []string{"haproxy", "-db", "-f", "%[1]s/config"}, `global
  log stderr format raw local0 info
defaults
  mode http
  timeout client 5s
  timeout connect 5s
  timeout server 5s
  log global
  option httplog
frontend f
  bind %[2]s
  http-request return status 404 content-type text/plain string "nothing here" if { path /missing }
  http-request return status 200 content-type text/plain file %[1]s/medium if { path /large }
  http-request return status 200 content-type text/plain file %[1]s/page
`, `\[(NOTICE|WARNING|ALERT)\]| (LR|PR)-- `},
}

// TestHTTPRealServersHaveNothingToTell asks Debian's servers, and reads what they
// wrote about it.
func TestHTTPRealServersHaveNothingToTell(t *testing.T) {
	t.Parallel()
	for _, s := range realServers {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			addr := closedPort(t)
			told := s.start(t, addr)
			probe := func(h checker.HTTP, outcome checker.Outcome, detail string) {
				h.Secure = strings.HasSuffix(s.name, "TLS")
				h.Insecure = h.Secure
				expect(t, probeOnce(t, newProber(t), at(addr, h, patience)), outcome, detail)
			}
			before := len(ourTimeWaits(t, addr.Port()))
			for range 20 {
				probe(checker.HTTP{Path: "/page"}, checker.Passed, "")
				probe(checker.HTTP{Path: "/large"}, checker.Passed, "")
				probe(checker.HTTP{Path: "/page", Body: `^all is (well|fine)$`}, checker.Passed, "")
				probe(checker.HTTP{Path: "/large", Body: "x"}, checker.Passed, "")
				probe(checker.HTTP{Path: "/page", Method: "HEAD"}, checker.Passed, "")
			}
			probe(checker.HTTP{Path: "/missing"}, checker.Failed, "status 404, want 200-299")
			if n := len(ourTimeWaits(t, addr.Port())) - before; n > 5 {
				t.Errorf("101 checks left %d connections in TIME_WAIT on this side", n)
			}
			noise := regexp.MustCompile(s.noise)
			for line := range strings.Lines(told()) {
				if !noise.MatchString(line) {
					t.Errorf("the server tells: %s", line)
				}
			}
		})
	}
}

// start runs the server until the end of the test. What told returns is what it
// wrote to its standard error, once it has ended.
func (s realServer) start(t *testing.T, addr netip.AddrPort) (told func() string) {
	t.Helper()
	if _, err := exec.LookPath(s.command[0]); err != nil {
		t.Skip("needs " + s.command[0])
	}
	root := t.TempDir()
	for name, text := range map[string]string{
		"page": "all is well", "medium": strings.Repeat("x", 10_000), "large": strings.Repeat("x", 300_000), "pem": keyPair(t),
		"config": s.fill(s.config, root, addr),
	} {
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for dir := root; dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
		os.Chmod(dir, 0o755)
	}
	arguments := make([]string, 0, len(s.command))
	for _, a := range s.command {
		arguments = append(arguments, s.fill(a, root, addr))
	}
	server := exec.Command(arguments[0], arguments[1:]...)
	log, err := os.Create(filepath.Join(root, "told"))
	if err != nil {
		t.Fatal(err)
	}
	server.Stderr, server.Stdout = log, log
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	end := sync.OnceFunc(func() {
		server.Process.Kill()
		server.Wait()
	})
	t.Cleanup(end)
	for began := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		// A check by TCP is not heard of, unlike a connection that is closed.
		if probeOnce(t, New(nil), at(addr, checker.TCP{}, patience)).Outcome == checker.Passed {
			break
		}
		if time.Since(began) > patience {
			text, _ := os.ReadFile(log.Name())
			t.Fatalf("%v does not listen: %s", server.Args, text)
		}
	}
	return func() string {
		time.Sleep(200 * time.Millisecond) // it writes after the connection is closed
		end()
		text, err := os.ReadFile(log.Name())
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
}

// fill puts folder, address, host and port into a text.
func (s realServer) fill(text, root string, addr netip.AddrPort) string {
	if text == "" || !strings.Contains(text, "%") {
		return text
	}
	return fmt.Sprintf(text+"%[5]s", root, addr, addr.Addr(), addr.Port(), "")
}

// keyPair returns a certificate and its key as one text.
func keyPair(t *testing.T) string {
	c := newAuthority(t).certificate(t, -1, 1, "a.example")
	key, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Certificate[0]})) +
		string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}))
}
