package probe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"

	"github.com/lvsd/lvsd/checker"
)

func init() { registerLocal(checker.File{}, compileFile) }

// compileFile returns the run that passes while a file is there, or is not.
func compileFile(_ *Prober, o checker.File) (run, error) {
	look := func() (found, error) { return found{}, exists(o.Path) }
	switch {
	case o.Number:
		look = func() (found, error) {
			n, err := readNumber(o.Path, -checker.MaxNumber, checker.MaxNumber)
			return found{number: n}, err
		}
	case o.Weight != checker.Unweighted:
		look = func() (found, error) {
			n, err := readNumber(o.Path, 0, o.Weight.Limit())
			if err != nil {
				return found{}, err
			}
			return found{advice: checker.Advice{Weight: uint16(n), Measure: o.Weight}}, nil
		}
	case o.Absent:
		look = func() (found, error) { return found{}, absent(o.Path) }
	}
	return unhurried(o.Path, look), nil
}

// unhurried returns a run that waits for a disk no longer than its deadline. While one
// look has not ended there is no other.
func unhurried(path string, look func() (found, error)) run {
	type seen struct {
		found
		err error
	}
	free := make(chan struct{}, 1)
	free <- struct{}{}
	stuck := notRun(fmt.Errorf("looking at %s takes too long: see whether a disk or a network file system hangs", path))
	return func(ctx context.Context, _ checker.Target) (found, error) {
		select {
		case <-free:
		default:
			return found{}, stuck
		}
		done := make(chan seen, 1)
		go func() {
			f, err := look()
			free <- struct{}{}
			done <- seen{f, err}
		}()
		select {
		case s := <-done:
			return s.found, s.err
		case <-ctx.Done():
			return found{}, stuck
		}
	}
}

// exists returns nil if there is something of that name. A symbolic link counts as
// what it is, wherever it leads.
func exists(path string) error {
	_, err := os.Lstat(path)
	return fileError(path, err)
}

// absent returns nil if there is nothing of that name.
func absent(path string) error {
	switch _, err := os.Lstat(path); {
	case err == nil:
		return fmt.Errorf("there is a file %s", path)
	case errors.Is(err, os.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		return nil
	default:
		return fileError(path, err)
	}
}

// fileError says what is the matter with a file. One that this director may not look
// at is no news of it.
func fileError(path string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, os.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		return fmt.Errorf("there is no file %s", path)
	case errors.Is(err, syscall.ELOOP):
		return fmt.Errorf("%s is a symbolic link, which is not followed", path)
	case errors.Is(err, os.ErrPermission):
		return notRun(fmt.Errorf("%w: let lvsd's user read it", err))
	default:
		return notRun(err)
	}
}

// maxNumber is more than a file with a number holds, in bytes.
const maxNumber = 64

// readNumber returns the number in a file, which is neither below the lowest nor above the
// highest. What is no regular file is not read, since
// it may have no end or belong to a device.
func readNumber(path string, lowest, highest int) (int, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
	if err != nil {
		return 0, fileError(path, err)
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return 0, fmt.Errorf("%s is not a regular file", path)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxNumber+1))
	if err != nil {
		return 0, fileError(path, err)
	}
	word := strings.TrimSpace(string(text))
	n, err := strconv.Atoi(word)
	switch {
	case err != nil || len(text) > maxNumber:
		return 0, fmt.Errorf("%s holds no whole number", path) // What it holds may be a secret.
	case n > highest || n < lowest:
		return 0, fmt.Errorf("%s holds %d, which is not from %d to %d", path, n, lowest, highest)
	}
	return n, nil
}
