package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/api/apitest"
)

// fixed is a source that always answers the same.
type fixed struct{ st *api.Status }

func (f fixed) Status(context.Context) (*api.Status, error) { return f.st, nil }

func (f fixed) Ready(context.Context) (bool, error) { return f.st.Ready && !f.st.Stopping, nil }

func (f fixed) ReloadAndWait(context.Context) (api.Reloaded, error) {
	return api.Reloaded{OK: true, Changes: []string{"virtual service web added"}}, nil
}

func (f fixed) Failover(_ context.Context, by api.User, o api.FailoverOrder) (api.Ordered, error) {
	return api.Ordered{OK: true, Error: fmt.Sprintf("uid %d wants %v force=%t", by.UID, o.Routers, o.Force)}, nil
}

func (f fixed) StandBy(_ context.Context, by api.User, o api.StandbyOrder) (api.Ordered, error) {
	return api.Ordered{OK: true, Error: fmt.Sprintf("uid %d wants %v force=%t", by.UID, o.For, o.Force)}, nil
}

func (f fixed) Assert(_ context.Context, by api.User, o api.AssertOrder) (api.Ordered, error) {
	by.Name = ""
	return api.Ordered{OK: true, Error: fmt.Sprintf("%v wants %v", by, o.Names)}, nil
}

func (f fixed) Resume(_ context.Context, by api.User, o api.ResumeOrder) (api.Ordered, error) {
	return api.Ordered{OK: true, Ended: append([]string{by.String()}, o.Servers...)}, nil
}

// hung is a source whose loop never answers.
type hung struct{}

func (hung) Status(ctx context.Context) (*api.Status, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func (hung) ReloadAndWait(ctx context.Context) (api.Reloaded, error) {
	<-ctx.Done()
	return api.Reloaded{}, ctx.Err()
}

func (hung) Failover(ctx context.Context, _ api.User, _ api.FailoverOrder) (api.Ordered, error) {
	<-ctx.Done()
	return api.Ordered{}, ctx.Err()
}

func (hung) StandBy(ctx context.Context, _ api.User, _ api.StandbyOrder) (api.Ordered, error) {
	<-ctx.Done()
	return api.Ordered{}, ctx.Err()
}

func (hung) Assert(ctx context.Context, _ api.User, _ api.AssertOrder) (api.Ordered, error) {
	<-ctx.Done()
	return api.Ordered{}, ctx.Err()
}

func (hung) Resume(ctx context.Context, _ api.User, _ api.ResumeOrder) (api.Ordered, error) {
	<-ctx.Done()
	return api.Ordered{}, ctx.Err()
}

func (hung) Ready(ctx context.Context) (bool, error) {
	<-ctx.Done()
	return false, ctx.Err()
}

// working is a source that answers with the status of a healthy Master.
func working() fixed { return fixed{apitest.Healthy()} }

// serve runs a server until the test ends.
func serve(t *testing.T, s *Server, src Source) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, src) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
}

func listen(t *testing.T, path string) *Server {
	t.Helper()
	s, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestStatusOverTheSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lvsd", "lvsd.sock") // the directory is made
	serve(t, listen(t, path), working())
	got, err := Dial(path).Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	opts := []cmp.Option{cmp.Comparer(func(a, b netip.Addr) bool { return a == b }),
		cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })}
	if diff := cmp.Diff(apitest.Healthy(), got, opts...); diff != "" {
		t.Errorf("status (-want +got):\n%s", diff)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if mode := info.Mode().Perm(); mode != socketMode {
		t.Errorf("mode %o, want %o", mode, socketMode)
	}
}

func TestReloadOverTheSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lvsd.sock")
	serve(t, listen(t, path), working())
	got, err := Dial(path).Reload(t.Context())
	if want := (&api.Reloaded{OK: true, Changes: []string{"virtual service web added"}}); err != nil || !cmp.Equal(got, want) {
		t.Errorf("answer %+v, error %v; want %+v", got, err, want)
	}
	if _, err := Dial(path).request(t.Context(), http.MethodGet, "/v1/reload", nil, time.Second); err == nil || !strings.Contains(err.Error(), "takes POST") {
		t.Errorf("GET: error %v, want one that says to POST", err)
	}
}

// A daemon whose loop hangs is not waited for as long as a reload may take.
func TestAReloadOfADaemonThatHangsFailsSoon(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lvsd.sock")
	serve(t, listen(t, path), hung{})
	began := time.Now()
	_, err := Dial(path).Reload(t.Context())
	if !errors.Is(err, ErrNoAnswer) || time.Since(began) > 10*time.Second {
		t.Errorf("after %v: error %v, want ErrNoAnswer", time.Since(began), err)
	}
}

func TestASecondDaemonIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lvsd.sock")
	first := listen(t, path)
	serve(t, first, working())
	_, err := Listen(path)
	if err == nil || !strings.Contains(err.Error(), "another lvsd answers on "+path) {
		t.Fatalf("error %v, want: another lvsd answers on it", err)
	}
	if _, err := Dial(path).Status(t.Context()); err != nil {
		t.Errorf("the first one no longer answers: %v", err)
	}
}

func TestAStaleSocketIsReplaced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lvsd.sock")
	dead, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	dead.(*net.UnixListener).SetUnlinkOnClose(false) // as kill -9 leaves it
	dead.Close()
	if _, err := Dial(path).Status(t.Context()); !errors.Is(err, ErrNoAnswer) || !strings.Contains(err.Error(), "is gone") {
		t.Errorf("error %v, want: the daemon that made this socket is gone", err)
	}
	serve(t, listen(t, path), working())
	if _, err := Dial(path).Status(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestOneOfManyStarters: of daemons that start at one moment beside a stale
// socket, whatever state directories they have, exactly one gets it and keeps it.
func TestOneOfManyStarters(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lvsd.sock")
	dead, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	dead.(*net.UnixListener).SetUnlinkOnClose(false)
	dead.Close()
	servers := make([]*Server, 20)
	var wg sync.WaitGroup
	for i := range servers {
		wg.Go(func() { servers[i], _ = Listen(path) })
	}
	wg.Wait()
	won := 0
	for _, s := range servers {
		if s != nil {
			won++
			serve(t, s, working())
		}
	}
	if won != 1 {
		t.Fatalf("%d daemons have the socket, want 1", won)
	}
	if _, err := Dial(path).Status(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestListenErrors(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "lvsd.conf")
	if err := os.WriteFile(file, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, path, want string }{
		{"a file that is not a socket", file, "a file that is not a socket is there"},
		{"a path that is too long", filepath.Join(dir, strings.Repeat("x", 108)), "must have 1 to 107 bytes"},
		{"no path", "", "must have 1 to 107 bytes"},
		{"a directory that can't be made", filepath.Join(file, "s"), "creating the directory of the control socket"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := Listen(tt.path); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want: %s", err, tt.want)
			}
		})
	}
	if b, err := os.ReadFile(file); err != nil || string(b) != "precious" {
		t.Errorf("the file is no longer what it was: %q, %v", b, err)
	}
}

func TestNobodyAnswers(t *testing.T) {
	dir := t.TempDir()
	_, err := Dial(filepath.Join(dir, "lvsd.sock")).Status(t.Context())
	if !errors.Is(err, ErrNoAnswer) || !strings.Contains(err.Error(), "systemctl start lvsd") {
		t.Errorf("error %v, want: no lvsd answers, and how to start one", err)
	}

	// A process that does not come to it: the kernel takes the connection, nobody answers.
	path := filepath.Join(dir, "stopped.sock")
	s := listen(t, path)
	defer s.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := Dial(path).Status(ctx); !errors.Is(err, ErrNoAnswer) || !strings.Contains(err.Error(), "hangs") {
		t.Errorf("error %v, want: it is stopped or hangs", err)
	}

	// Not an answer of lvsd.
	path = filepath.Join(dir, "other.sock")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	other := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "[1, 2") })}
	go other.Serve(l)
	defer other.Close()
	if _, err := Dial(path).Status(t.Context()); err == nil || errors.Is(err, ErrNoAnswer) || !strings.Contains(err.Error(), "reading the answer") {
		t.Errorf("error %v, want: reading the answer failed", err)
	}
}

// request sends one request to a handler and returns the code and the body.
func request(h http.Handler, method, path string) (int, string) {
	w := httptest.NewRecorder()
	r := httptest.NewRequest(method, path, nil)
	r.Host = "127.0.0.1:9112"
	h.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

func TestSocketErrorsAreJSON(t *testing.T) {
	h := newSocketHandler(working())
	for _, tt := range []struct {
		name, method, path string
		code               int
		want               string
	}{
		{"a version to come", "GET", "/v2/status", 404, "it speaks version 1"},
		{"an unknown path", "GET", "/v1/drain", 404, `does not know "/v1/drain"`},
		{"the root", "GET", "/", 404, "GET /v1/status"},
		{"a change", "POST", "/v1/status", 405, "takes GET"},
		{"a long path", "GET", "/" + strings.Repeat("x", 5000), 404, "it speaks version 1"},
	} {
		code, body := request(h, tt.method, tt.path)
		var f failure
		if err := json.Unmarshal([]byte(body), &f); err != nil {
			t.Errorf("%s: %v in %q", tt.name, err, body)
		}
		if code != tt.code || !strings.Contains(f.Error, tt.want) {
			t.Errorf("%s: %d %q, want %d and %q", tt.name, code, f.Error, tt.code, tt.want)
		}
	}
}

// TestALoopThatHangs: every answer comes all the same, after loopTimeout.
func TestALoopThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		code, body := request(newSocketHandler(hung{}), "GET", "/v1/status")
		if took := time.Since(start); code != 503 || took != loopTimeout || !strings.Contains(body, "did not answer within 2s") {
			t.Errorf("status: %d %q after %v, want 503 after %v", code, body, took, loopTimeout)
		}
		err := Dial("x").refused(code, false, []byte(body))
		if !errors.Is(err, ErrNoAnswer) {
			t.Errorf("a daemon whose loop hangs counts as answering: %v", err)
		}
		for _, path := range []string{"/healthz", "/readyz"} {
			if code, body := request(newHTTPHandler(hung{}), "GET", path); code != 503 || !strings.Contains(body, "did not answer") {
				t.Errorf("%s: %d %q, want 503", path, code, body)
			}
		}
	})
}

// stuck is a source that answers when the test lets it.
type stuck struct{ release chan struct{} }

func (s stuck) Status(context.Context) (*api.Status, error) {
	<-s.release
	return apitest.Healthy(), nil
}

func (s stuck) ReloadAndWait(context.Context) (api.Reloaded, error) {
	<-s.release
	return api.Reloaded{}, nil
}

func (s stuck) Failover(context.Context, api.User, api.FailoverOrder) (api.Ordered, error) {
	<-s.release
	return api.Ordered{}, nil
}

func (s stuck) StandBy(context.Context, api.User, api.StandbyOrder) (api.Ordered, error) {
	<-s.release
	return api.Ordered{}, nil
}

func (s stuck) Resume(context.Context, api.User, api.ResumeOrder) (api.Ordered, error) {
	<-s.release
	return api.Ordered{}, nil
}

func (s stuck) Assert(context.Context, api.User, api.AssertOrder) (api.Ordered, error) {
	<-s.release
	return api.Ordered{}, nil
}

func (s stuck) Ready(context.Context) (bool, error) {
	<-s.release
	return true, nil
}

// TestRequestsAreBounded: no more than maxInFlight of one kind are under way;
// others wait a while for their turn and then are refused.
func TestRequestsAreBounded(t *testing.T) {
	for _, path := range []string{"/v1/status", "/metrics", "/healthz", "/readyz"} {
		synctest.Test(t, func(t *testing.T) {
			src := stuck{make(chan struct{})}
			h := newHTTPHandler(src)
			if path == "/v1/status" {
				h = newSocketHandler(src)
			}
			for range maxInFlight {
				go request(h, "GET", path)
			}
			synctest.Wait()
			start := time.Now()
			if code, body := request(h, "GET", path); code != 503 || !strings.Contains(body, "too many") || time.Since(start) != waitTimeout {
				t.Errorf("%s: %d %q after %v, want a refusal after %v", path, code, body, time.Since(start), waitTimeout)
			}
			time.AfterFunc(waitTimeout/2, func() { close(src.release) })
			if code, body := request(h, "GET", path); code != 200 {
				t.Errorf("%s: %d %q, want its turn when the others are done", path, code, body)
			}
		})
	}
}

func (lean) Status(context.Context) (*api.Status, error) { panic("the whole status is built") }

// TestNonsenseOnTheWire: whatever a client sends, the next one is served.
func TestNonsenseOnTheWire(t *testing.T) {
	s, err := listenHTTP("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	serve(t, s, working())
	for _, send := range []string{
		"", "\x00\xff\x00", "GET\r\n\r\n", "GET /metrics HTTP/9.9\r\n\r\n",
		"GET /healthz HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("x", 64<<10) + "\r\n\r\n",
		"GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999\r\n\r\n",
	} {
		conn, err := net.Dial("tcp", s.listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(conn, send)
		conn.(*net.TCPConn).CloseWrite()
		conn.SetReadDeadline(time.Now().Add(5 * time.Second))
		io.Copy(io.Discard, conn)
		conn.Close()
	}
	resp, err := http.Get("http://" + s.listener.Addr().String() + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, _ := io.ReadAll(resp.Body); string(body) != "ok\n" {
		t.Errorf("/healthz answers %q", body)
	}
}

// TestServeEnds: afterwards the file is gone and the next daemon can start.
func TestServeEnds(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lvsd.sock")
	for range 3 {
		s := listen(t, path)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- s.Serve(ctx, working()) }()
		if _, err := Dial(path).Status(t.Context()); err != nil {
			t.Fatal(err)
		}
		cancel()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
			t.Fatalf("the socket is left behind: %v", err)
		}
	}
}

// TestServeReportsItsListenersEnd: an end that nobody asked for is an error.
func TestServeReportsItsListenersEnd(t *testing.T) {
	s, err := listenHTTP("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	if err := s.Serve(t.Context(), working()); err == nil || !strings.Contains(err.Error(), "serving 127.0.0.1:") {
		t.Errorf("error %v, want: serving …", err)
	}
}

// BenchmarkStatusJSON is "lvsd status" of 1,000 services with 10 real servers
// each, on the daemon's side, without the director's loop.
func BenchmarkStatusJSON(b *testing.B) {
	st := apitest.Healthy()
	like := st.Services[0]
	like.Servers = slices.Repeat(like.Servers[:1], 10)
	st.Services = slices.Repeat([]api.Service{like}, 1000)
	h := newSocketHandler(fixed{st})
	b.ReportAllocs()
	for b.Loop() {
		if code, _ := request(h, "GET", "/v1/status"); code != 200 {
			b.Fatal(code)
		}
	}
}
