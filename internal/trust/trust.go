// Package trust judges who can change a file, such as a program that lvsd starts or a
// key: whoever can change a directory or a symbolic link on the way to it can put
// another one in its place.
package trust

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
)

// maxLinks bounds the symbolic links on the way to a file, as the kernel does.
const maxLinks = 40

// File follows an absolute path and returns what is at its end. It is an error, which says
// what to do, if anybody but root and the users given can change or replace that. Harm is
// what they could do: "change what lvsd starts".
func File(path, harm string, users ...int) (fs.FileInfo, error) {
	w := walk{owners: append([]int{0}, users...), path: path, harm: harm}
	return w.to(path)
}

// A walk goes from the root directory to a file and looks at all that is on the way.
type walk struct {
	owners []int
	path   string // what was asked for
	harm   string // what somebody could do who can change it
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
		return fmt.Errorf("%s%s belongs to user %d, who could %s: run \"chown root %s\"", path, of, stat.Uid, w.harm, path)
	case mode&fs.ModeSymlink != 0, mode.IsDir() && mode&fs.ModeSticky != 0:
		return nil
	case mode&0o002 != 0:
		return fmt.Errorf("%s%s is writable by everybody, who could %s: run \"chmod o-w %s\"", path, of, w.harm, path)
	case mode&0o020 != 0 && stat.Gid != 0:
		return fmt.Errorf("%s%s is writable by group %d, whose members could %s: run \"chmod g-w %s\"", path, of, stat.Gid, w.harm, path)
	}
	return nil
}
