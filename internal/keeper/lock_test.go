package keeper

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestLockIsHeldUntilTheProcessEnds(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keeper.lock")
	if err := <-acquire(path); err != nil {
		t.Fatal(err)
	}
	for range 3 { // A file that nobody refers to is closed, and a lock goes with it.
		runtime.GC()
		time.Sleep(10 * time.Millisecond)
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); !errors.Is(err, unix.EWOULDBLOCK) {
		t.Errorf("a second keeper gets the lock: %v", err)
	}
}

// A disk that hangs is played by a lease, which lets whoever opens the file
// wait.
func TestLockOnADiskThatHangs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keeper.lock")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := unix.FcntlInt(f.Fd(), unix.F_SETLEASE, unix.F_WRLCK); err != nil {
		t.Skipf("no lease on a file in %s: %v", filepath.Dir(path), err)
	}
	begin := time.Now()
	locked := acquire(path)
	if took := time.Since(begin); took > time.Second {
		t.Errorf("the caller waited %s", took)
	}
	select {
	case err := <-locked:
		t.Errorf("the file was not opened late: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	if _, err := unix.FcntlInt(f.Fd(), unix.F_SETLEASE, unix.F_UNLCK); err != nil {
		t.Fatal(err)
	}
	if err := <-locked; err != nil {
		t.Error(err)
	}
}

func TestLockThatCannotBe(t *testing.T) {
	err := <-acquire(filepath.Join(t.TempDir(), "nowhere", "keeper.lock"))
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("want the reason, got %v", err)
	}
}

func TestNoKeeperLocksAnotherFileThroughALink(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keeper.lock")
	if err := os.Symlink(path+".other", path); err != nil {
		t.Fatal(err)
	}
	if err := <-acquire(path); !errors.Is(err, unix.ELOOP) {
		t.Errorf("want the reason, got %v", err)
	}
	if _, err := os.Lstat(path + ".other"); err == nil {
		t.Error("the link's target was made")
	}
}
