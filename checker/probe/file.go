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

// compileFile returns the measurement that passes while a file is there.
func compileFile(_ *Prober, o checker.File) (measure, error) {
	look := func() (int, error) { return 0, exists(o.Path) }
	if o.Number {
		look = func() (int, error) { return readNumber(o.Path) }
	}
	return unhurried(o.Path, look), nil
}

// unhurried returns a measurement that waits for a disk no longer than its deadline.
// While one look has not ended there is no other.
func unhurried(path string, look func() (int, error)) measure {
	type seen struct {
		n   int
		err error
	}
	free := make(chan struct{}, 1)
	free <- struct{}{}
	stuck := notRun(fmt.Errorf("looking at %s takes too long: see whether a disk or a network file system hangs", path))
	return func(ctx context.Context, _ checker.Target) (int, error) {
		select {
		case <-free:
		default:
			return 0, stuck
		}
		done := make(chan seen, 1)
		go func() {
			n, err := look()
			free <- struct{}{}
			done <- seen{n, err}
		}()
		select {
		case s := <-done:
			return s.n, s.err
		case <-ctx.Done():
			return 0, stuck
		}
	}
}

// exists returns nil if there is something of that name. A symbolic link counts as
// what it is, wherever it leads.
func exists(path string) error {
	_, err := os.Lstat(path)
	return fileError(path, err)
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

// readNumber returns the number in a file. What is no regular file is not read, since
// it may have no end or belong to a device.
func readNumber(path string) (int, error) {
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
	case n > checker.MaxNumber || n < -checker.MaxNumber:
		return 0, fmt.Errorf("%s holds %d, and the limit is %d on either side of 0", path, n, checker.MaxNumber)
	}
	return n, nil
}
