// Package keyfile reads secrets, the keys of virtual routers and the passwords and
// private keys of checks, from files or from systemd's credentials, and judges who else can read or
// change them.
package keyfile

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/lvsd/lvsd/internal/trust"
)

// Service is the name of the user and of the group that lvsd.service runs as.
const Service = "lvsd"

// File reads the secret of a file. Its errors say what to do.
func (k Kind) File(path string) (string, error) {
	// What is no regular file must not block whoever opens it.
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_NOCTTY, 0)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", fmt.Errorf("there is no %s file %s: %s (%s)", k.what, path, k.absent, k.howTo(path))
	case errors.Is(err, fs.ErrPermission):
		return "", fmt.Errorf("user %d may not read the %s file: chown root:%s %s and chmod 0640, and let the group search its directories: %w", os.Geteuid(), k.what, Service, path, err)
	case err != nil:
		return "", fmt.Errorf("opening the %s file: %w", k.what, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", fmt.Errorf("looking at the %s file: %w", k.what, err)
	}
	if err := k.judge(path, info); err != nil {
		return "", err
	}
	return k.read(path, f)
}

// Read reads a secret from a file, or from a credential where no file is named.
func (k Kind) Read(file, credential string) (string, error) {
	if file != "" {
		return k.File(file)
	}
	return k.Credential(credential)
}

// Check is Read, and forgets the secret. What cannot be judged here is right: a
// credential of a service that this process does not belong to, and a file that this
// user may not read, if only the service can. It is a doubt that root can read a file
// and the service cannot.
func (k Kind) Check(file, credential string) (doubt bool, err error) {
	switch {
	case file != "":
		return k.checkFile(file)
	case Credentials() != "":
		_, err := k.Credential(credential)
		return false, err
	default:
		return false, nil
	}
}

func (k Kind) checkFile(path string) (doubt bool, err error) {
	_, err = k.File(path)
	info, unseen := os.Stat(path)
	if unseen != nil || err != nil && !errors.Is(err, fs.ErrPermission) {
		return false, err
	}
	uid, gid := service()
	st := info.Sys().(*syscall.Stat_t)
	served := int(st.Uid) == uid && info.Mode()&0o400 != 0 || int(st.Gid) == gid && info.Mode()&0o040 != 0
	switch {
	case err == nil && os.Geteuid() == 0 && uid >= 0 && !served:
		return true, fmt.Errorf("the %[3]s file %[1]s cannot be read by user %[2]s, which lvsd.service runs as: chown root:%[2]s %[1]s, chmod 0640 %[1]s", path, Service, k.what)
	case err == nil || k.judge(path, info) == nil && served && os.Geteuid() != uid:
		return false, nil
	default:
		return false, cmp.Or(k.judge(path, info), err)
	}
}

// judge refuses a file that others than root and lvsd can read, change or replace.
func (k Kind) judge(path string, info fs.FileInfo) error {
	if err := k.judgeFile(path, info); err != nil {
		return err
	}
	uid, _ := service()
	_, err := trust.File(path, "replace the "+k.what, os.Geteuid(), uid)
	if errors.Is(err, fs.ErrPermission) {
		return nil // Somebody else can look at the way there.
	}
	return err
}

func (k Kind) judgeFile(path string, info fs.FileInfo) error {
	uid, gid := service()
	st, mode := info.Sys().(*syscall.Stat_t), info.Mode()
	owner, group := int(st.Uid), int(st.Gid)
	switch {
	case !mode.IsRegular():
		return fmt.Errorf("the %s file %s is no regular file", k.what, path)
	case owner != 0 && owner != os.Geteuid() && owner != uid:
		return fmt.Errorf("the %[4]s file %[1]s belongs to user %[2]d, who can read and change it: chown root:%[3]s %[1]s", path, owner, Service, k.what)
	case mode&0o007 != 0:
		return fmt.Errorf("the %[4]s file %[1]s is open to everybody (mode %04[2]o): chown root:%[3]s %[1]s, chmod 0640 %[1]s, and replace the %[4]s, since others may know it", path, mode.Perm(), Service, k.what)
	case mode&0o020 != 0:
		return fmt.Errorf("the %[3]s file %[1]s can be changed by its group (mode %04[2]o): chmod 0640 %[1]s", path, mode.Perm(), k.what)
	case mode&0o040 != 0 && group != 0 && group != os.Getegid() && group != gid:
		return fmt.Errorf("the %[4]s file %[1]s can be read by group %[2]d: chgrp %[3]s %[1]s, and replace the %[4]s, since others may know it", path, group, Service, k.what)
	}
	return nil
}

// service returns the ids of the service's user and group; -1: there are none. Tests
// have others.
var service = func() (uid, gid int) {
	uid, gid = -1, -1
	if u, err := user.Lookup(Service); err == nil {
		uid, _ = strconv.Atoi(u.Uid)
	}
	if g, err := user.LookupGroup(Service); err == nil {
		gid, _ = strconv.Atoi(g.Gid)
	}
	return uid, gid
}

// Credentials returns the directory in which systemd has put the credentials of this
// service; empty: there is none.
func Credentials() string { return os.Getenv("CREDENTIALS_DIRECTORY") }

// Path returns where a secret is read from: a file, or a credential where none is named.
func Path(file, credential string) string {
	if file != "" {
		return file
	}
	return filepath.Join(Credentials(), credential)
}

// Credential reads the secret of a credential, which systemd lets only the service's
// user read, and sets when the service starts. Its errors say what to do.
func (k Kind) Credential(name string) (string, error) {
	dir := Credentials()
	how := fmt.Sprintf("write LoadCredential=%s:/PATH/OF/THE/%s below [Service] in a drop-in (systemctl edit lvsd), and restart lvsd, since credentials are set at the start", name, strings.ToUpper(k.what))
	if dir == "" {
		return "", fmt.Errorf("there is no credential %q, because lvsd was started without any: %s", name, how)
	}
	f, err := os.OpenFile(Path("", name), os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_NOCTTY, 0)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", fmt.Errorf("there is no credential %q: %s", name, how)
	case err != nil:
		return "", fmt.Errorf("opening the credential %q: %w", name, err)
	}
	defer f.Close()
	return k.read(f.Name(), f)
}

// read reads a secret, which may end with a line's end.
func (k Kind) read(path string, from io.Reader) (string, error) {
	limit := k.limit + len("\r\n")
	text, err := io.ReadAll(io.LimitReader(from, int64(limit)+1))
	if err != nil {
		return "", fmt.Errorf("reading the %s file: %w", k.what, err)
	}
	line := strings.TrimRight(string(text), "\r\n")
	if len(text) > limit || len(line) > k.limit {
		return "", fmt.Errorf("the %s file %s has more than %s: write the %[1]s alone", k.what, path, k.longest)
	}
	secret, err := k.decode(line)
	if err != nil {
		return "", fmt.Errorf("the %s file %s %w", k.what, path, err)
	}
	return secret, nil
}
