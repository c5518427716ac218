package daemon

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
)

// rolledBack ends the names of files that a configuration did not have, which are read no
// more then.
const rolledBack = ".rolled-back"

// Restore puts the files of a configuration back in the place of those at path, which is a
// file or a directory, as lvsd run has it. Each is replaced as a whole, when all are on the
// disk; files of the directory that the configuration did not have are renamed. If one of
// these cannot be done, all are as they were. It returns what was done, a line each: files
// that are as they were are left alone.
//
// Which files there were, a daemon has noted that need not be root: so nothing is written
// but what is read from path.
func Restore(path string, c api.Configuration) (done []string, err error) {
	if path, err = filepath.Abs(path); err != nil {
		return nil, err
	}
	present, err := config.Names(path)
	if err != nil {
		return nil, err
	}
	var r restoration
	for _, f := range c.Files {
		if err == nil && f.Path != path && (filepath.Dir(f.Path) != path || !config.IsSource(filepath.Base(f.Path))) {
			err = fmt.Errorf("configuration %d was read from %s, which is not beneath %s: give its place with --config", c.Number, f.Path, path)
		}
		if err == nil {
			err = r.prepare(f)
		}
	}
	for _, name := range present {
		if !slices.ContainsFunc(c.Files, func(f api.KeptFile) bool { return f.Path == name }) {
			r.steps = append(r.steps, step{from: name, to: name + rolledBack, says: "renamed " + name + " to " + name + rolledBack + ", as it was not there"})
		}
	}
	if err == nil {
		err = r.carryOut()
	}
	if err != nil {
		return nil, errors.Join(err, r.undo())
	}
	for _, s := range r.steps {
		done = append(done, s.says)
	}
	return done, r.finish(filepath.Dir(path), path)
}

// A restoration is what is to be done to put files back.
type restoration struct {
	steps []step
	done  int // so many of them are
}

// A step renames a file. What was there before has another name meanwhile.
type step struct {
	from, to, says string
	former         string // empty: nothing was there
}

// prepare writes the text of a file beside it, unless it has that text.
func (r *restoration) prepare(f api.KeptFile) error {
	mode, uid, gid := fs.FileMode(f.Mode&0o755), os.Geteuid(), int(f.GID)
	s := step{from: beside(f.Path, "new"), to: f.Path, says: "restored " + f.Path}
	info, err := os.Stat(f.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s is not a regular file: move it away", f.Path)
	default:
		owner := info.Sys().(*syscall.Stat_t)
		mode, uid, gid = info.Mode().Perm(), int(owner.Uid), int(owner.Gid)
		text, err := os.ReadFile(f.Path)
		if err != nil {
			return err
		}
		if bytes.Equal(text, []byte(f.Text)) {
			return nil
		}
		s.former = beside(f.Path, "old")
	}
	r.steps = append(r.steps, s)
	return writeBeside(s.from, []byte(f.Text), mode, uid, gid)
}

// beside is a name beside a file that no configuration is read from.
func beside(path, what string) string {
	return filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".lvsd-"+what)
}

// writeBeside writes a file that is nobody's yet, and waits until it is on the disk.
func writeBeside(name string, text []byte, mode fs.FileMode, uid, gid int) error {
	if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err == nil && (uid != os.Geteuid() || gid != os.Getegid()) {
		err = f.Chown(uid, gid)
	}
	return errors.Join(err, f.Chmod(mode), f.Sync(), f.Close())
}

// carryOut does all steps, as far as none fails.
func (r *restoration) carryOut() error {
	for _, s := range r.steps {
		if s.former != "" {
			_ = os.Remove(s.former)
			if err := os.Link(s.to, s.former); err != nil {
				return err
			}
		}
	}
	for _, s := range r.steps {
		if err := os.Rename(s.from, s.to); err != nil {
			return err
		}
		r.done++
	}
	return nil
}

// undo makes everything as it was.
func (r *restoration) undo() error {
	var errs []error
	for i, s := range r.steps {
		switch {
		case i < r.done && s.former != "":
			errs = append(errs, os.Rename(s.former, s.to))
			continue
		case i < r.done && s.to == s.from+rolledBack:
			errs = append(errs, os.Rename(s.to, s.from))
		case i < r.done:
			errs = append(errs, os.Remove(s.to))
		case s.to != s.from+rolledBack:
			_ = os.Remove(s.from) // It may not have been written.
		}
		if s.former != "" {
			_ = os.Remove(s.former)
		}
	}
	return errors.Join(errs...)
}

// finish removes what was there before, and waits until all is on the disk.
func (r *restoration) finish(dirs ...string) error {
	for _, s := range r.steps {
		if s.former != "" {
			if err := os.Remove(s.former); err != nil {
				return err
			}
		}
	}
	for _, name := range dirs {
		dir, err := os.Open(name)
		if err != nil {
			return err
		}
		err = dir.Sync()
		if errors.Is(err, unix.EINVAL) {
			err = nil // It is a file.
		}
		if err := errors.Join(err, dir.Close()); err != nil {
			return err
		}
	}
	return nil
}
