package control

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// A daemon with many requests runs, and must not be started again for that.
func TestABusyDaemonIsNoDeadOne(t *testing.T) {
	for _, tt := range []struct{ method, path string }{{"GET", "/v1/status"}, {"POST", "/v1/reload"}} {
		synctest.Test(t, func(t *testing.T) {
			src := stuck{make(chan struct{})}
			defer close(src.release)
			h := newSocketHandler(src)
			for range maxInFlight {
				go request(h, tt.method, tt.path)
			}
			synctest.Wait()
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequest(tt.method, tt.path, nil))
			err := Dial("x").refused(w.Code, w.Header().Get("Retry-After") != "", w.Body.Bytes())
			if !errors.Is(err, ErrBusy) || errors.Is(err, ErrNoAnswer) || !strings.Contains(err.Error(), "runs") {
				t.Errorf("%s %s: error %v, want: it runs, but is busy", tt.method, tt.path, err)
			}
		})
	}
}

// helperEnv makes this test's binary stop while it listens on that path.
const helperEnv = "LVSD_TEST_STOPPED"

func init() {
	if path := os.Getenv(helperEnv); path != "" {
		_, err := Listen(path)
		fmt.Println("listens", err)
		time.Sleep(time.Minute)
		os.Exit(1)
	}
}

func TestStatusSaysThatADaemonIsStopped(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lvsd.sock")
	c := exec.Command("/proc/self/exe")
	c.Env = append(os.Environ(), helperEnv+"="+path)
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Process.Kill(); _ = c.Wait() }()
	if _, err := out.Read(make([]byte, 20)); err != nil {
		t.Fatal(err)
	}
	if err := c.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	for !stopped(int32(c.Process.Pid)) {
		time.Sleep(time.Millisecond)
	}
	client := Dial(path)
	for limit := 50 * time.Millisecond; client.daemon.Load() == 0 && limit < time.Minute; limit *= 2 {
		ctx, cancel := context.WithTimeout(t.Context(), limit) // A busy machine takes longer to connect.
		_, err = client.Status(ctx)
		cancel()
	}
	if want := fmt.Sprintf("process %d has it open: it is stopped", c.Process.Pid); !errors.Is(err, ErrNoAnswer) || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want: %s", err, want)
	}
}

// Attack 6: whoever may write to the socket's directory could answer for lvsd.
func TestASocketIsNotMadeWhereOthersMayReplaceIt(t *testing.T) {
	for _, tt := range []struct {
		name  string
		mode  os.FileMode
		owner int
		want  string
	}{
		{"a directory of its own", 0o755, os.Geteuid(), ""},
		{"a sticky one, as /tmp", 0o777 | os.ModeSticky, os.Geteuid(), ""},
		{"one that everybody may write to", 0o777, os.Geteuid(), "can be written by others"},
		{"one that a group may write to", 0o775, os.Geteuid(), "can be written by others"},
		{"somebody else's", 0o755, 65534, "belongs to user 65534"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.Chmod(dir, tt.mode); err != nil {
				t.Fatal(err)
			}
			if err := os.Chown(dir, tt.owner, -1); err != nil {
				t.Skip(err)
			}
			s, err := Listen(filepath.Join(dir, "lvsd.sock"))
			if err == nil {
				s.Close()
			}
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("error %v, want: %s", err, tt.want)
			}
		})
	}
}
