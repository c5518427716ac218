// Package state is the daemon's state directory. It holds what must outlive the
// process, and the lock that keeps out a second daemon.
//
// Each kind of state has one JSON file with a version, and one source file here
// that defines its contents (ledger.go). A file is always replaced as a whole:
// after a crash, there is either the old file or the new one. A file that cannot
// be understood is renamed, so that a new one can be written and the old one can
// still be examined.
package state

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// A Store is a state directory that no other daemon works with.
type Store struct {
	dir  string
	lock *os.File
}

// Open makes the state directory where it is missing, and keeps other daemons
// away from it, and so from the IPVS table that they would both write, until
// the Store is closed or the process ends. Where another process has the
// directory, the error names it.
func Open(dir string) (*Store, error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, fmt.Errorf("creating the state directory: %w", err)
	}
	path := filepath.Join(dir, "lock")
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("locking the state directory: %w", err)
	}
	err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		err = fmt.Errorf("%s is locked by another lvsd%s: stop that one, or give this one its own --state-dir and --socket", path, holder(f))
	}
	if err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("locking the state directory: %w", err)
	}
	// The lock is flock's. The process id is there to help whoever is refused:
	// a full disk is no reason to fail.
	if f.Truncate(0) == nil {
		_, _ = f.WriteAt(fmt.Appendf(nil, "%d\n", os.Getpid()), 0)
	}
	return &Store{dir: dir, lock: f}, nil
}

// Close lets other daemons use the directory.
func (s *Store) Close() error { return s.lock.Close() }

// holder names the process that wrote its id into the lock's file.
func holder(f *os.File) string {
	text := make([]byte, 20)
	n, _ := f.ReadAt(text, 0)
	if pid := strings.TrimSpace(string(text[:n])); pid != "" {
		return " (process " + pid + ")"
	}
	return ""
}
