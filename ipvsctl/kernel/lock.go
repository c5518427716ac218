//go:build linux

package kernel

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// lockName is the lock's file in the state directory.
const lockName = "lock"

// Lock keeps other directors away from the state directory dir, and so from
// the table that they would both write, until the result is closed or the
// process ends. The error names the process that holds the lock.
func Lock(dir string) (io.Closer, error) {
	path := filepath.Join(dir, lockName)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("locking the state directory: %w", err)
	}
	err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		err = fmt.Errorf("%s is held by another lvsd%s: stop that one, or give this one its own --state-dir and --socket", path, holder(f))
	}
	if err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("locking the state directory: %w", err)
	}
	// The lock is flock's. Who holds it is a help for the next one, and no
	// reason to fail where the disk is full.
	_ = signature(f)
	return f, nil
}

func holder(f *os.File) string {
	text := make([]byte, 20)
	n, _ := f.ReadAt(text, 0)
	if pid := strings.TrimSpace(string(text[:n])); pid != "" {
		return " (process " + pid + ")"
	}
	return ""
}

func signature(f *os.File) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err := f.WriteAt(fmt.Appendf(nil, "%d\n", os.Getpid()), 0)
	return err
}
