package probe

import (
	"bufio"
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
	"strings"
	"sync"
	"testing"
	"time"

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
		pieces []string // what the server sends, 200 ms apart
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
			ends := make(chan error, 1)
			addr := serve(t, func(c *net.TCPConn) {
				request := bufio.NewReader(c)
				http.ReadRequest(request)
				_, err := io.WriteString(c, tt.pieces[0])
				for _, piece := range tt.pieces[1:] {
					time.Sleep(200 * time.Millisecond)
					if err == nil {
						_, err = io.WriteString(c, piece)
					}
				}
				if !tt.keeps && err == nil {
					err = c.CloseWrite()
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
			if !tt.keeps && ourTimeWaits(t, addr.Port()) > 0 {
				t.Error("a connection that the server closed is in TIME_WAIT on this side")
			}
		})
	}
}

// ourTimeWaits counts the connections in TIME_WAIT that were made to a port.
func ourTimeWaits(t *testing.T, port uint16) (n int) {
	sockets, err := os.ReadFile("/proc/thread-self/net/tcp")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(sockets)) {
		f := strings.Fields(line)
		if strings.HasSuffix(f[2], hexPort(port)) && f[3] == "06" {
			n++
		}
	}
	return n
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
				h.TLS = strings.HasSuffix(s.name, "TLS")
				h.Insecure = h.TLS
				expect(t, probeOnce(t, newProber(t), at(addr, h, patience)), outcome, detail)
			}
			before := ourTimeWaits(t, addr.Port())
			for range 20 {
				probe(checker.HTTP{Path: "/page"}, checker.Passed, "")
				probe(checker.HTTP{Path: "/large"}, checker.Passed, "")
				probe(checker.HTTP{Path: "/page", Body: `^all is (well|fine)$`}, checker.Passed, "")
				probe(checker.HTTP{Path: "/large", Body: "x"}, checker.Passed, "")
				probe(checker.HTTP{Path: "/page", Method: "HEAD"}, checker.Passed, "")
			}
			probe(checker.HTTP{Path: "/missing"}, checker.Failed, "status 404, want 200-299")
			if n := ourTimeWaits(t, addr.Port()) - before; n > 5 {
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
		if probeOnce(t, New(), at(addr, checker.TCP{}, patience)).Outcome == checker.Passed {
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
