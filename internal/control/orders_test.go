package control

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsd/lvsd/internal/api"
)

// An operator's order is carried out in the name that the kernel knows.
func TestOrdersOverTheSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lvsd.sock")
	serve(t, listen(t, path), working())
	got, err := Dial(path).Failover(t.Context(), []string{"outside"}, true)
	if want := (&api.Ordered{OK: true, Error: (api.User{UID: uint32(os.Getuid())}).String() + " wants [outside] force=true"}); err != nil || !cmp.Equal(got, want) {
		t.Errorf("failover: %+v, error %v; want %+v", got, err, want)
	}
	got, err = Dial(path).StandBy(t.Context(), 2*time.Hour, false)
	if want := (&api.Ordered{OK: true, Error: (api.User{UID: uint32(os.Getuid())}).String() + " wants 2h0m0s force=false"}); err != nil || !cmp.Equal(got, want) {
		t.Errorf("standby: %+v, error %v; want %+v", got, err, want)
	}
	got, err = Dial(path).Resume(t.Context(), []string{"web/192.168.1.4"})
	if err != nil || len(got.Ended) != 2 || got.Ended[1] != "web/192.168.1.4" || os.Getuid() == 0 && got.Ended[0] != "root (uid 0)" {
		t.Errorf("resume: %+v, error %v", got, err)
	}
	got, err = Dial(path).Assert(t.Context(), []string{"outside"})
	if want := (&api.Ordered{OK: true, Error: (api.User{UID: uint32(os.Getuid())}).String() + " wants [outside]"}); err != nil || !cmp.Equal(got, want) {
		t.Errorf("assert: %+v, error %v; want %+v", got, err, want)
	}
}

func TestOrdersThatAreNotTaken(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lvsd.sock")
	serve(t, listen(t, path), working())
	for _, tt := range []struct{ name, method, body, want string }{
		{"a GET orders nothing", http.MethodGet, "{}", "/v1/failover takes POST"},
		{"nor does an empty body", http.MethodPost, "", "reading the order: EOF"},
		{"what a later version may know is not left out in silence", http.MethodPost, `{"gently":true}`, `unknown field "gently"`},
		{"text", http.MethodPost, "outside", "reading the order: invalid character"},
		{"more than an order needs", http.MethodPost, `{"routers":["` + strings.Repeat("x", maxHeader) + `"]}`, "too large"},
	} {
		if _, err := Dial(path).request(t.Context(), tt.method, "/v1/failover", strings.NewReader(tt.body), time.Minute); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want one that says %q", tt.name, err, tt.want)
		}
	}
}

// A configuration is larger than an order, and bounded, too.
func TestPlansOverTheSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lvsd.sock")
	serve(t, listen(t, path), working())
	for _, tt := range []struct {
		name  string
		files []api.File
		want  string // empty: it is refused, at the latest while the rest is sent
	}{
		{"the daemon's own", nil, "0 files, 0 bytes"},
		{"one of 16 MiB", []api.File{{Name: "a.hcl", Text: strings.Repeat("x", 16<<20-1)}, {Name: "b.hcl", Text: "\n"}}, "2 files, 16777216 bytes"},
		{"one of 33 MiB", []api.File{{Name: "a.hcl", Text: strings.Repeat("x", 33<<20)}}, ""},
	} {
		p, err := Dial(path).Plan(t.Context(), tt.files)
		if (err == nil) != (tt.want != "") || err == nil && p.Path != tt.want {
			t.Errorf("%s: %+v, error %v; want %q", tt.name, p, err, tt.want)
		}
	}
	if _, err := Dial(path).request(t.Context(), http.MethodPost, "/v1/plan", strings.NewReader(`{"path":"/root"}`), time.Minute); err == nil || !strings.Contains(err.Error(), "unknown field") {
		t.Errorf("a path of the daemon's: error %v", err)
	}
}

// Monitoring is read-only, whoever asks.
func TestNobodyGivesAnOrderByTCP(t *testing.T) {
	for _, path := range []string{"/v1/failover", "/v1/standby", "/v1/resume", "/v1/assert"} {
		w := httptest.NewRecorder()
		newHTTPHandler(working()).ServeHTTP(w, httptest.NewRequest(http.MethodPost, path, strings.NewReader("{}")))
		if w.Code != http.StatusNotFound && w.Code != http.StatusMethodNotAllowed && w.Code != http.StatusMisdirectedRequest {
			t.Errorf("POST %s over TCP: status %d", path, w.Code)
		}
		w = httptest.NewRecorder() // no Unix socket, so nobody knows who asks
		newSocketHandler(working()).ServeHTTP(w, httptest.NewRequest(http.MethodPost, path, strings.NewReader("{}")))
		if w.Code != http.StatusForbidden {
			t.Errorf("POST %s by nobody: status %d, %s", path, w.Code, w.Body)
		}
	}
}
