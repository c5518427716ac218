// Package state is the daemon's state directory. It holds what must outlive the
// process, and the lock that keeps out a second daemon.
//
// Each kind of state has one JSON file with a version, and one source file here
// that defines its contents (ledger.go, standby.go, …). A file is always
// replaced as a whole: after a crash, there is either the old file or the new one. A
// file that cannot be understood is renamed, so that a new one can be written and the
// old one can still be examined.
//
// Every file uses only files that come before it in this list:
//
//	store.go                 the directory and its lock
//	document.go              a file, read and replaced as a whole
//	ledger.go, signed.go,    what each has
//	standby.go, kept_out.go,
//	settings.go, configuration.go,
//	trial.go
package state

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// A Store is a state directory that no other daemon works with.
type Store struct {
	root *os.Root // so that nobody who moves the directory away can give us another
	lock *os.File
	// readOnly: it changes nothing, and says that it has. A daemon may work with the
	// directory.
	readOnly bool
	// keeping is held while a configuration is saved: each needs a number of its own.
	keeping sync.Mutex
}

// Open makes the state directory where it is missing, and keeps other daemons
// away from it, until the Store is closed or the process ends. Where another
// process has the directory, the error names it. A directory that somebody else
// owns or may write to is refused: its files say which rows of the kernel's
// table are to be removed.
func Open(dir string) (*Store, error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, fmt.Errorf("creating the state directory: %w; give one that user %d can create with --state-dir", err, os.Geteuid())
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("opening the state directory: %w", err)
	}
	s := &Store{root: root}
	if err = s.ours(); err == nil {
		err = s.acquire()
	}
	if err != nil {
		_ = root.Close()
		return nil, err
	}
	return s, nil
}

// Peek opens the state directory as it is, whoever owns it, to read what there is. What is
// saved is lost, and no error. The directory need not exist.
func Peek(dir string) (*Store, error) {
	root, err := os.OpenRoot(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &Store{readOnly: true}, nil
	case err != nil:
		return nil, fmt.Errorf("opening the state directory: %w", err)
	}
	return &Store{root: root, readOnly: true}, nil
}

// ours refuses a directory to which others may write.
func (s *Store) ours() error {
	named, err := os.Lstat(s.root.Name())
	if err != nil {
		return fmt.Errorf("looking at the state directory: %w", err)
	}
	opened, err := s.root.Stat(".")
	if err != nil {
		return fmt.Errorf("looking at the state directory: %w", err)
	}
	owner := opened.Sys().(*syscall.Stat_t).Uid
	const remedy = "give lvsd a directory of its own with --state-dir"
	switch {
	case !os.SameFile(named, opened):
		return fmt.Errorf("the state directory %s is a symbolic link: name the directory that it leads to, or %s", s.root.Name(), remedy)
	case owner != 0 && int(owner) != os.Geteuid():
		return fmt.Errorf("the state directory %s belongs to user %d, who could change what lvsd remembers, and lvsd runs as user %d: %s",
			s.root.Name(), owner, os.Geteuid(), remedy)
	case opened.Mode().Perm()&0o022 != 0:
		return fmt.Errorf("the state directory %s can be written by others (its mode is %04o): chmod go-w %[1]s, or %[3]s",
			s.root.Name(), opened.Mode().Perm(), remedy)
	}
	return nil
}

// acquire locks the directory.
func (s *Store) acquire() error {
	f, err := s.open(lockName, os.O_RDWR|os.O_CREATE)
	if errors.Is(err, unix.EROFS) {
		f, err = s.openReadOnly()
	}
	if err != nil {
		return fmt.Errorf("locking the state directory with its file %s: %w", s.path(lockName), err)
	}
	err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		err = fmt.Errorf("%s is locked by another lvsd%s: stop that one, or give this one its own --state-dir and --socket", s.path(lockName), holder(f))
	}
	if err != nil {
		_ = f.Close()
		return fmt.Errorf("locking the state directory: %w", err)
	}
	// The lock is flock's. The process id is there to help whoever is refused:
	// a full disk is no reason to fail.
	if f.Truncate(0) == nil {
		_, _ = f.WriteAt(fmt.Appendf(nil, "%d\n", os.Getpid()), 0)
	}
	s.lock = f
	return nil
}

// openReadOnly opens the lock that an earlier daemon made where the file system
// cannot be written any more, as after an error of the disk: flock does not write,
// and such a disk is no reason to lose a director.
func (s *Store) openReadOnly() (*os.File, error) {
	f, err := s.open(lockName, os.O_RDONLY)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: make it writable, or give lvsd another directory with --state-dir", unix.EROFS)
	}
	return f, err
}

// bootID tells this boot of the machine from others.
func bootID() (string, error) {
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "", fmt.Errorf("reading the boot ID: %w", err)
	}
	return strings.TrimSpace(string(id)), nil
}

// lockName is the file that a daemon locks while it works with the directory.
const lockName = "lock"

// path is how a message names a file of the directory.
func (s *Store) path(name string) string { return filepath.Join(s.root.Name(), name) }

// Close lets other daemons use the directory.
func (s *Store) Close() error {
	var err error
	if s.lock != nil {
		err = s.lock.Close()
	}
	if s.root != nil {
		err = errors.Join(err, s.root.Close())
	}
	return err
}

// holder names the process that wrote its id into the lock's file.
func holder(f *os.File) string {
	text := make([]byte, 20)
	n, _ := f.ReadAt(text, 0)
	if pid := strings.TrimSpace(string(text[:n])); pid != "" {
		return " (process " + pid + ")"
	}
	return ""
}

var errNotRegular = errors.New("it is not a regular file, so lvsd did not make it: remove it")

// open opens a regular file of the directory. It follows no symbolic link, and
// waits for nobody who has a FIFO's other end.
func (s *Store) open(name string, flags int) (*os.File, error) {
	if s.root == nil {
		return nil, fs.ErrNotExist
	}
	info, err := s.root.Lstat(name)
	if err == nil && !info.Mode().IsRegular() {
		return nil, errNotRegular
	}
	f, err := s.root.OpenFile(name, flags|unix.O_NONBLOCK|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, err
	}
	if info, err = f.Stat(); err == nil && !info.Mode().IsRegular() {
		err = errNotRegular
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}
