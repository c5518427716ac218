package daemon

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/lvsd/lvsd/internal/event"
)

// aloneEnv makes this test's binary hold the socket of that name.
const aloneEnv = "LVSD_TEST_HOLD"

func init() {
	if name := os.Getenv(aloneEnv); name != "" {
		if _, err := net.Listen("unix", name); err != nil {
			os.Exit(1)
		}
		fmt.Println("held")
		time.Sleep(time.Minute)
		os.Exit(0)
	}
}

// aName is one that nobody else uses.
func aName(t *testing.T) string {
	return fmt.Sprintf("@lvsd-test-%d-%d-%s", os.Getpid(), names.Add(1), t.Name())
}

var names atomic.Int32

func TestASecondDaemonIsRefusedWhateverItsDirectories(t *testing.T) {
	name := aName(t)
	ctx, stop := context.WithCancel(t.Context())
	if err := alone(ctx, name); err != nil {
		t.Fatal(err)
	}
	err := alone(t.Context(), name)
	if err == nil || errors.Is(err, errStranger) || !strings.Contains(err.Error(), fmt.Sprintf("process %d", os.Getpid())) {
		t.Errorf("error %v, want one that names the process", err)
	}
	stop()
	for err != nil { // It closes the socket in its own time.
		err = alone(t.Context(), name)
	}
}

func TestOfManyDaemonsThatStartAtOnceOneRuns(t *testing.T) {
	name := aName(t)
	var run, strangers atomic.Int32
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			switch err := alone(t.Context(), name); {
			case err == nil:
				run.Add(1)
			case errors.Is(err, errStranger):
				strangers.Add(1)
			}
		})
	}
	wg.Wait()
	if run.Load() != 1 || strangers.Load() != 0 {
		t.Errorf("%d run, and %d take the other for a stranger; want one, none", run.Load(), strangers.Load())
	}
}

// Nobody without privileges keeps the daemon from starting.
func TestAnUnprivilegedHolderKeepsNoDaemonOut(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can be another user")
	}
	// The test's binary is where only root may go.
	binary, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "lvsd-hold")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := errors.Join(os.Chmod(dir, 0o755), os.WriteFile(dir+"/hold", binary, 0o755)); err != nil {
		t.Fatal(err)
	}
	name := aName(t)
	c := exec.Command(dir + "/hold")
	c.Env = append(os.Environ(), aloneEnv+"="+name)
	c.Dir = "/"
	c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}, Pdeathsig: syscall.SIGKILL}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Process.Kill(); _ = c.Wait() })
	if _, err := out.Read(make([]byte, 4)); err != nil {
		t.Fatal(err)
	}
	events := make(chan event.Event, 2)
	s, err := onlyOne(t.Context(), name, time.Millisecond, func(e event.Event) { events <- e })
	if err != nil {
		t.Fatal(err)
	}
	err = s.Err()
	if !errors.Is(err, errStranger) || !strings.Contains(err.Error(), fmt.Sprintf("process %d of user 65534", c.Process.Pid)) {
		t.Errorf("error %v, want a stranger's, with the process", err)
	}
	if e := <-events; e.Severity != event.Warning || !strings.Contains(e.Text, err.Error()) {
		t.Errorf("event %+v, want a warning with the reason", e)
	}

	if err := c.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if e := <-events; e.Severity != event.Info || s.Err() != nil {
		t.Errorf("event %+v and error %v after its end, want none to be kept out", e, s.Err())
	}
}

// Who binds the name and never listens, or is of another kind, is no lvsd.
func TestASocketThatNobodyAnswersOnKeepsNoDaemonOut(t *testing.T) {
	for _, kind := range []int{syscall.SOCK_STREAM, syscall.SOCK_DGRAM, syscall.SOCK_SEQPACKET} {
		t.Run(fmt.Sprint(kind), func(t *testing.T) {
			name := aName(t)
			fd, err := syscall.Socket(syscall.AF_UNIX, kind|syscall.SOCK_CLOEXEC, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer syscall.Close(fd)
			if err := syscall.Bind(fd, &syscall.SockaddrUnix{Name: name}); err != nil {
				t.Fatal(err)
			}
			err = alone(t.Context(), name)
			if kind == syscall.SOCK_STREAM && !errors.Is(err, errStranger) {
				t.Errorf("error %v, want a stranger's", err)
			}
			if kind != syscall.SOCK_STREAM && err != nil && !errors.Is(err, errStranger) {
				t.Errorf("error %v, want none or a stranger's", err)
			}
		})
	}
}
