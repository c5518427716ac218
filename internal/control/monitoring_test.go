package control

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/api/apitest"
)

func TestHTTPListenErrors(t *testing.T) {
	s, err := listenHTTP("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for address, want := range map[string]string{
		s.listener.Addr().String(): "address already in use",
		"nonsense":                 "missing port",
		"127.0.0.1:99999":          "invalid port",
	} {
		if _, err := listenHTTP(address); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "http.listen") {
			t.Errorf("listenHTTP(%q): %v, want: %s, and the option's name", address, err, want)
		}
	}
}

// TestAMetricsPortThatIsTakenIsTriedAgain: the director goes on without it, is
// told so once, and has it as soon as it is free.
func TestAMetricsPortThatIsTakenIsTriedAgain(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := taken.Addr().String()
	told := make(chan error, 10)
	h := NewHTTP(address, func(_ string, err error) { told <- err }, nil)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- h.Serve(ctx, working()) }()
	if err := <-told; !errors.Is(err, syscall.EADDRINUSE) || !errors.Is(h.Err(), syscall.EADDRINUSE) {
		t.Errorf("told %v, and it is %v, want: the address is in use", err, h.Err())
	}
	taken.Close()
	if err := <-told; err != nil || h.Err() != nil {
		t.Errorf("told %v, and it is %v, want: it is served", err, h.Err())
	}
	resp, err := http.Get("http://" + address + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	http.DefaultClient.CloseIdleConnections()
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestAMetricsAddressThatIsNotThereEndsNothing(t *testing.T) {
	for _, address := range []string{"192.0.2.1:9112", ""} {
		ctx, cancel := context.WithCancel(t.Context())
		h := NewHTTP(address, func(string, error) { cancel() }, nil)
		if address == "" {
			cancel()
		}
		if err := h.Serve(ctx, working()); err != nil || (h.Err() == nil) != (address == "") {
			t.Errorf("%q: ended with %v, and it is %v", address, err, h.Err())
		}
	}
}

// free is an address with a port that nobody listens on.
func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// A reload opens, moves and closes the listener. At no moment does nobody answer,
// and an address that can't be had is a finding until there is another one.
func TestHTTPMovesWithoutARestart(t *testing.T) {
	first, second := free(t), free(t)
	told := make(chan error, 10)
	h := NewHTTP("", func(_ string, err error) { told <- err }, nil)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- h.Serve(ctx, working()) }()
	answers := func(address string) bool {
		client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		resp, err := client.Get("http://" + address + "/healthz")
		if err == nil {
			resp.Body.Close()
		}
		return err == nil && resp.StatusCode == http.StatusOK
	}
	await := func(what string, is func() bool) {
		t.Helper()
		for end := time.Now().Add(5 * time.Second); !is(); time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%s: not within 5 s", what)
			}
		}
	}
	h.Listen(first)
	await("it opens", func() bool { return answers(first) })
	h.Listen(second)
	await("it moves", func() bool { return answers(second) && !answers(first) })
	_, port, _ := net.SplitHostPort(second)
	h.Listen(":" + port)
	await("it moves to all addresses of its own port", func() bool { return answers("127.0.0.2:" + port) })
	if err := h.Err(); err != nil {
		t.Errorf("its own port is in use by itself: %v", err)
	}
	h.Listen("192.0.2.1:9112")
	if err := <-told; !errors.Is(err, syscall.EADDRNOTAVAIL) {
		t.Errorf("told %v, want: no such address", err)
	}
	await("it ends where nobody wants it any more", func() bool { return !answers(second) })
	h.Listen(first)
	if err := <-told; err != nil || h.Err() != nil {
		t.Errorf("told %v, and it is %v, want: it is served", err, h.Err())
	}
	h.Listen("")
	await("it closes", func() bool { return !answers(first) })
	if err := h.Err(); err != nil || len(told) != 0 {
		t.Errorf("closed as configured, and it is %v", err)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// While the old address answers, the new one is opened; not one after the other.
func TestHTTPThatMovesAnswersThroughout(t *testing.T) {
	first, second := free(t), free(t)
	h := NewHTTP(first, func(string, error) {}, nil)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- h.Serve(ctx, working()) }()
	dial := func(address string) bool {
		c, err := net.Dial("tcp", address)
		if err == nil {
			c.Close()
		}
		return err == nil
	}
	for !dial(first) {
		time.Sleep(time.Millisecond)
	}
	h.Listen(second)
	for dial(first) {
		time.Sleep(time.Millisecond)
	}
	if !dial(second) {
		t.Error("the old address is closed, and the new one is not open")
	}
	cancel()
	<-done
}

// lean is a source whose status nobody may ask for.
type lean struct{ fixed }

func TestHealthAndReadinessBuildNoStatus(t *testing.T) {
	h := newHTTPHandler(lean{working()})
	for _, path := range []string{"/healthz", "/readyz"} {
		if code, body := request(h, "GET", path); code != 200 {
			t.Errorf("%s answers %d %q, want 200", path, code, body)
		}
	}
}

func TestHealthAndReadiness(t *testing.T) {
	for _, tt := range []struct {
		name  string
		edit  func(*api.Status)
		code  int
		ready string
	}{
		{"ready", func(*api.Status) {}, 200, "ready"},
		{"starting", func(st *api.Status) {
			st.Ready, st.Findings = false, []api.Finding{{Code: "x", Text: "no"}, {Code: api.NotReady, Text: "starting: 1 service is not in the table\x1b"}}
		}, 503, `starting: 1 service is not in the table\x1b`},
		{"ready when asked why not", func(st *api.Status) { st.Ready = false }, 503, "not ready a moment ago"},
		{"stopping", func(st *api.Status) { st.Stopping = true }, 503, ""},
		{"the last reload failed: what runs is ready", func(st *api.Status) { st.Reload.OK = false }, 200, "ready"},
		{"a server is down: others serve", func(st *api.Status) { st.Services[0].Servers[0].Health = api.Down }, 200, "ready"},
	} {
		st := apitest.Healthy()
		tt.edit(st)
		h := newHTTPHandler(fixed{st})
		if code, body := request(h, "GET", "/readyz"); code != tt.code || !strings.Contains(body, tt.ready) {
			t.Errorf("%s: /readyz answers %d %q, want %d %q", tt.name, code, body, tt.code, tt.ready)
		}
		if code, body := request(h, "GET", "/healthz"); code != 200 {
			t.Errorf("%s: /healthz answers %d %q, want 200", tt.name, code, body)
		}
	}
}

func TestHTTPIsReadOnly(t *testing.T) {
	h := newHTTPHandler(working())
	for _, method := range []string{"POST", "PUT", "DELETE", "PATCH"} {
		for _, path := range []string{"/metrics", "/healthz", "/readyz", "/"} {
			if code, _ := request(h, method, path); code != 405 {
				t.Errorf("%s %s answers %d, want 405", method, path, code)
			}
		}
	}
	if code, _ := request(h, "GET", "/v1/status"); code != 404 {
		t.Errorf("the status is for the socket only, answered %d", code)
	}
}
