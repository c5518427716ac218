package spawn

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// maxLinks bounds the symbolic links on the way to a program, as the kernel does.
const maxLinks = 40

// Trusted returns an error that says what to do if a program is not one that lvsd
// starts: it must be an absolute path to an executable file that nobody but root and
// the users given can change or replace, so neither may they change its directories.
func Trusted(path string, users ...int) error {
	switch {
	case path == "":
		return errors.New("there is no program to run: give its absolute path and its arguments")
	case !filepath.IsAbs(path):
		return fmt.Errorf("%q is not an absolute path: programs are not searched for, so give the whole path, such as /etc/lvsd/hooks/%s", path, filepath.Base(path))
	case strings.ContainsRune(path, 0):
		return fmt.Errorf("%q has a zero byte, which no path can have", path)
	}
	w := walk{owners: append([]int{0}, users...), path: path}
	info, err := w.to(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s does not exist: create it, or correct the path", path)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%s cannot be reached by user %d, which lvsd runs as: let that user search its directories (chmod o+x)", path, os.Geteuid())
	case err != nil:
		return err
	case info.IsDir():
		return fmt.Errorf("%s is a directory: give the path of a program", path)
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s is not a regular file: give the path of a program", path)
	case info.Mode()&0o111 == 0:
		return fmt.Errorf("%s is not executable: run \"chmod +x %s\"", path, path)
	}
	return nil
}

// A walk goes from the root directory to a program and looks at all that is on the way.
type walk struct {
	owners []int
	path   string // what was asked for
	links  int
}

// to follows a path and returns what is at its end. What it passes is trusted.
func (w *walk) to(path string) (fs.FileInfo, error) {
	path = filepath.Clean(path)
	if path != "/" {
		if _, err := w.to(filepath.Dir(path)); err != nil {
			return nil, err
		}
	}
	info, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	if err := w.trusts(path, info); err != nil {
		return nil, err
	}
	if info.Mode()&fs.ModeSymlink == 0 {
		return info, nil
	}
	if w.links++; w.links > maxLinks {
		return nil, fmt.Errorf("%s has too many symbolic links on its way", w.path)
	}
	target, err := os.Readlink(path)
	if err != nil {
		return nil, err
	}
	if !filepath.IsAbs(target) {
		target = filepath.Join(filepath.Dir(path), target)
	}
	return w.to(target)
}

// trusts returns an error if another user can change what is at a path. In a directory
// with the sticky bit, such as /tmp, only the owner of what is there can replace it.
func (w *walk) trusts(path string, info fs.FileInfo) error {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	of := ""
	if path != w.path {
		of = fmt.Sprintf(", which is on the way to %s,", w.path)
	}
	mode := info.Mode()
	switch {
	case !slices.Contains(w.owners, int(stat.Uid)):
		return fmt.Errorf("%s%s belongs to user %d, who could change what lvsd starts: run \"chown root %s\"", path, of, stat.Uid, path)
	case mode&fs.ModeSymlink != 0, mode.IsDir() && mode&fs.ModeSticky != 0:
		return nil
	case mode&0o002 != 0:
		return fmt.Errorf("%s%s is writable by everybody, who could change what lvsd starts: run \"chmod o-w %s\"", path, of, path)
	case mode&0o020 != 0 && stat.Gid != 0:
		return fmt.Errorf("%s%s is writable by group %d, whose members could change what lvsd starts: run \"chmod g-w %s\"", path, of, stat.Gid, path)
	}
	return nil
}
