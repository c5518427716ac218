package probe

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lvsd/lvsd/checker"
	"golang.org/x/sys/unix"
)

// A mount is a disk for tests: it hangs until it is alive.
type mount struct {
	alive chan struct{}

	mu    sync.Mutex
	reads int
}

// errNoCertificate is what a mount says when it is alive.
var errNoCertificate = errors.New("no certificate")

func (m *mount) read(string, certificates) (certificates, error) {
	m.mu.Lock()
	m.reads++
	m.mu.Unlock()
	<-m.alive
	return certificates{}, errNoCertificate
}

// hung returns authorities whose files are on a mount that hangs.
func hung() (*authorities, *mount) {
	m := &mount{alive: make(chan struct{})}
	return &authorities{files: newFiles(new(atomic.Int64), m.read)}, m
}

func TestAuthoritiesHungDiskEndsWithTheProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all, disk := hung()
		defer close(disk.alive)
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		began := time.Now()
		c, err := newHTTPCheck(&Prober{authorities: all}, checker.HTTP{Secure: true, TLS: checker.TLS{CA: "/net/ca.pem"}})
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.tls.config(ctx, netip.MustParseAddr("192.0.2.1"))
		if took := time.Since(began); took != 3*time.Second {
			t.Errorf("the probe ended after %v, want its timeout, 3s", took)
		}
		const want = "reading the certificates to trust: /net/ca.pem cannot be read in time (does its disk or network mount hang?)"
		if err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
		cancelled, stop := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, stop)
		began = time.Now()
		all.file("/net/ca.pem").value(cancelled)
		if took := time.Since(began); took != time.Second {
			t.Errorf("the cancelled probe ended after %v, want 1s", took)
		}
	})
}

func TestAuthoritiesHungDiskIsReadOnceUntilItIsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all, disk := hung()
		file := all.file("/net/ca.pem")
		ask := func(timeout time.Duration) error {
			ctx, cancel := context.WithTimeout(t.Context(), timeout)
			defer cancel()
			_, err := file.value(ctx)
			return err
		}
		for range 3 {
			var probes sync.WaitGroup
			for range 100 {
				probes.Go(func() { ask(time.Second) })
			}
			probes.Wait()
		}
		if disk.reads != 1 {
			t.Errorf("300 probes began %d reads of a disk that hangs, want 1", disk.reads)
		}
		time.AfterFunc(time.Second, func() { close(disk.alive) })
		if err := ask(time.Minute); err != errNoCertificate {
			t.Errorf("a probe that waits for the disk: %v, want what the disk said", err)
		}
		if err := ask(time.Minute); err != errNoCertificate || disk.reads != 2 {
			t.Errorf("the next probe: %v after %d reads, want what the disk says after 2", err, disk.reads)
		}
	})
}

// TestAuthoritiesHungDiskIsBounded proves that many files on a disk that hangs
// do not take all threads that a program may have.
func TestAuthoritiesHungDiskIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all, disk := hung()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		for i := range maxReaders {
			all.file(fmt.Sprintf("/net/%d.pem", i)).value(ctx)
		}
		_, err := all.file("/net/more.pem").value(ctx)
		const want = "/net/more.pem: 4096 other files are being read already (does their disk or network mount hang?)"
		if err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
		close(disk.alive)
		synctest.Wait()
		if n := all.readers.Load(); disk.reads != maxReaders || n != 0 {
			t.Errorf("%d reads, of which %d did not end; want %d, and 0", disk.reads, n, maxReaders)
		}
		if _, err := all.file("/net/more.pem").value(t.Context()); err != errNoCertificate {
			t.Errorf("afterwards: %v, want what the disk says", err)
		}
	})
}

// TestAuthoritiesAreForgotten proves that checks which name the same file share
// it, and that reloads with ever new files do not grow the daemon.
func TestAuthoritiesAreForgotten(t *testing.T) {
	p := New(nil)
	check := func(path, ca string) *httpCheck {
		c, err := newHTTPCheck(p, checker.HTTP{Secure: true, Path: path, TLS: checker.TLS{CA: ca}})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	a, b := check("/a", "/etc/ca.pem"), check("/b", "/etc/ca.pem")
	if a.tls.authorities != b.tls.authorities {
		t.Error("two checks that name one file have two")
	}
	for i := range 1000 {
		check("/", fmt.Sprint("/etc/", i))
	}
	left := func() int {
		p.authorities.mu.Lock()
		defer p.authorities.mu.Unlock()
		return len(p.authorities.named)
	}
	for range 1000 {
		if runtime.GC(); left() == 1 {
			break
		}
	}
	if n := left(); n != 1 || p.authorities.file("/etc/ca.pem") != a.tls.authorities {
		t.Errorf("%d files are remembered, want the one that checks name", n)
	}
	runtime.KeepAlive(a)
}

// deadMount mounts a file system whose server never answers, and returns its
// folder. At the end of the test the server is gone: what waits for it ends.
func deadMount(t *testing.T) string {
	t.Helper()
	server, err := os.OpenFile("/dev/fuse", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("needs FUSE: %v", err)
	}
	dir := t.TempDir()
	options := fmt.Sprintf("fd=%d,rootmode=40000,user_id=0,group_id=0", server.Fd())
	if err := unix.Mount("dead", dir, "fuse", unix.MS_NOSUID|unix.MS_NODEV, options); err != nil {
		server.Close()
		t.Skipf("needs the right to mount: %v", err)
	}
	t.Cleanup(func() {
		server.Close()
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// TestTLSAuthoritiesOnADeadMount runs a whole checker over a mount that is
// dead: its probe says so in time, leaves its place to others, and the checker
// ends.
func TestTLSAuthoritiesOnADeadMount(t *testing.T) {
	ca := newAuthority(t)
	addr := serveTLS(t, ca.config(t, -1, 1, "a.example"))
	path := filepath.Join(deadMount(t), "ca.pem")
	dead := at(addr, checker.HTTP{Secure: true, Host: "a.example", TLS: checker.TLS{CA: path}}, 100*time.Millisecond)
	other := at(addr, checker.TCP{}, patience)
	other.Interval = 50 * time.Millisecond
	c := checker.New(newProber(t), 1)
	c.Set([]*checker.Target{&dead, &other})
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	results := make(chan checker.Result)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		c.Run(ctx, func(all []checker.Observation) {
			select {
			case results <- all[0].Result: // Each of these probes ends alone.
			case <-ctx.Done():
			}
		})
	}()
	want := "reading the certificates to trust: " + path + " cannot be read in time (does its disk or network mount hang?)"
	for _, outcome := range []checker.Outcome{checker.NotRun, checker.Passed} {
		if r := next(ctx, results, outcome); r.Outcome != outcome || outcome == checker.NotRun && r.Detail != want {
			t.Errorf("%v: %q\nwant %v, and where it was not run: %q", r.Outcome, r.Detail, outcome, want)
		}
	}
	cancel()
	select {
	case <-ended:
	case <-time.After(patience):
		t.Error("the checker does not end")
	}
}

// next waits for a result with an outcome.
func next(ctx context.Context, results <-chan checker.Result, outcome checker.Outcome) checker.Result {
	for {
		select {
		case r := <-results:
			if r.Outcome == outcome {
				return r
			}
		case <-ctx.Done():
			return checker.Result{}
		}
	}
}
