package control

import (
	"bufio"
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/lvsd/lvsd/internal/api"
)

// asking connects to a server and sends it a text.
func asking(t *testing.T, s *Server, text string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", s.listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
	return c
}

// get asks a server for a path on a connection of its own, and returns the
// answer's code; it has to come soon.
func get(t *testing.T, s *Server, path string) int {
	t.Helper()
	client := http.Client{Timeout: waitTimeout, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get("http://" + s.listener.Addr().String() + path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode
}

func TestManyOpenConnectionsKeepNobodyOut(t *testing.T) {
	for _, tt := range []struct{ name, say string }{
		{"that say nothing", ""},
		{"with half a request", "GET /metrics HTTP/1.1\r\nHost: x\r\n"},
		{"that asked once and stay open", "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := listenHTTP("127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			serve(t, s, working())
			for range 2 * maxConnections {
				c := asking(t, s, tt.say)
				if strings.HasSuffix(tt.say, "\r\n\r\n") {
					if _, err := c.Read(make([]byte, 1)); err != nil {
						t.Fatal(err)
					}
				}
			}
			for _, path := range []string{"/healthz", "/readyz", "/metrics"} {
				if code := get(t, s, path); code != 200 {
					t.Errorf("%s answers %d", path, code)
				}
			}
		})
	}
}

func TestARequestThatIsAboutNothingCountsAsOne(t *testing.T) {
	s, err := listenHTTP("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	serve(t, s, working())
	c := asking(t, s, "OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n")
	answer, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	if answer.StatusCode == 200 || !answer.Close {
		t.Errorf("status %d, closes %v; want a refusal by our handler, which closes", answer.StatusCode, answer.Close)
	}
}

// Each answer is larger than the kernel's buffers.
func TestClientsThatDoNotReadKeepNobodyOut(t *testing.T) {
	s, err := listenHTTP("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	large := make([]byte, 16<<20)
	s.handler = func(Source) http.Handler {
		return limit(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(large) }), http.NotFound)
	}
	serve(t, s, working())
	for range 2 * maxSending {
		c := asking(t, s, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
		if _, err := c.Read(make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
	}
	if code := get(t, s, "/"); code != 200 {
		t.Errorf("the next one is answered %d", code)
	}
}

func TestSlowScrapesDoNotDelayHealth(t *testing.T) {
	src := stuck{make(chan struct{})}
	defer close(src.release)
	h := newHTTPHandler(halfStuck{working(), src})
	for range maxInFlight {
		go request(h, "GET", "/metrics")
	}
	began := time.Now()
	for _, path := range []string{"/healthz", "/readyz"} {
		if code, body := request(h, "GET", path); code != 200 || time.Since(began) > waitTimeout {
			t.Errorf("%s answers %d %q", path, code, body)
		}
	}
}

// halfStuck never has a status, and is ready at once.
type halfStuck struct {
	fixed
	stuck stuck
}

func (s halfStuck) Status(ctx context.Context) (*api.Status, error) { return s.stuck.Status(ctx) }

func TestAPageInABrowserCannotReadMetrics(t *testing.T) {
	own, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	own, _, _ = strings.Cut(own, ".")
	ours := []string{"", "127.0.0.1", "127.0.0.1:9112", "10.13.0.15:9112", "[::1]:9112", "[fe80::1]", "localhost:9112", "LOCALHOST", own, own + ".example.com:9112"}
	for _, host := range slices.Concat(ours, []string{"evil.example", "evil.example:9112", "localhost.evil.example", "127.0.0.1.evil.example", "x" + own, own + "x"}) {
		if got, want := ourHost(host), slices.Contains(ours, host); got != want {
			t.Errorf("host %q is taken: %v, want %v", host, got, want)
		}
	}
}

// What net/http says of a listener that fails goes to the log with the rest.
func TestWhatTheHTTPServerSaysGoesToTheLog(t *testing.T) {
	said := make(chan string, 1)
	s := &Server{listener: failing{listen(t, filepath.Join(t.TempDir(), "lvsd.sock")).listener, new(sync.Once)}, handler: newSocketHandler,
		ErrorLog: log.New(writer(func(line string) { said <- line }), "", 0)}
	serve(t, s, working())
	if line := <-said; !strings.Contains(line, "too many open files") {
		t.Errorf("it said %q", line)
	}
}

// failing is a listener whose first connection meets no file descriptor.
type failing struct {
	net.Listener
	once *sync.Once
}

func (f failing) Accept() (c net.Conn, err error) {
	f.once.Do(func() { err = &net.OpError{Op: "accept", Err: syscall.EMFILE} })
	if err != nil {
		return nil, err
	}
	return f.Listener.Accept()
}

type writer func(string)

func (w writer) Write(line []byte) (int, error) {
	w(string(line))
	return len(line), nil
}
