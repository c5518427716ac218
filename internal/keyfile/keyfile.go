// Package keyfile reads the keys of virtual routers, from files or from systemd's
// credentials, and judges who else can read or change them.
package keyfile

import (
	"cmp"
	"encoding/hex"
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

// A key has from Min to Max bytes, as keepalived's have.
const (
	Min = 32
	Max = 64
)

// hexadecimal begins a key that is written in hexadecimal digits, as keepalived has it.
const hexadecimal = "hex:"

// maxText is more than any file with a key has, in bytes.
const maxText = len(hexadecimal) + 2*Max + 2

// Service is the name of the user and of the group that lvsd.service runs as.
const Service = "lvsd"

// howTo is how a file with a key is made.
func howTo(path string) string {
	return fmt.Sprintf("as root: umask 077; echo hex:$(openssl rand -hex 32) > %[1]s; chown root:%[2]s %[1]s; chmod 0640 %[1]s", path, Service)
}

// File reads the key of a file. Its errors say what to do.
func File(path string) (string, error) {
	// What is no regular file must not block whoever opens it.
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_NOCTTY, 0)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", fmt.Errorf("there is no key file %s: copy it from another director, or make a new key for all (%s)", path, howTo(path))
	case errors.Is(err, fs.ErrPermission):
		return "", fmt.Errorf("user %d may not read the key file: chown root:%s %s and chmod 0640, and let the group search its directories: %w", os.Geteuid(), Service, path, err)
	case err != nil:
		return "", fmt.Errorf("opening the key file: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", fmt.Errorf("looking at the key file: %w", err)
	}
	if err := judge(path, info); err != nil {
		return "", err
	}
	return read(path, f)
}

// Read reads a key from a file, or from a credential where no file is named.
func Read(file, credential string) (string, error) {
	if file != "" {
		return File(file)
	}
	return Credential(credential)
}

// Check is Read, and forgets the key. What cannot be judged here is right: a
// credential of a service that this process does not belong to, and a file that this
// user may not read, if only the service can. It is a doubt that root can read a file
// and the service cannot.
func Check(file, credential string) (doubt bool, err error) {
	switch {
	case file != "":
		return checkFile(file)
	case Credentials() != "":
		_, err := Credential(credential)
		return false, err
	default:
		return false, nil
	}
}

func checkFile(path string) (doubt bool, err error) {
	_, err = File(path)
	info, unseen := os.Stat(path)
	if unseen != nil || err != nil && !errors.Is(err, fs.ErrPermission) {
		return false, err
	}
	uid, gid := service()
	st := info.Sys().(*syscall.Stat_t)
	served := int(st.Uid) == uid && info.Mode()&0o400 != 0 || int(st.Gid) == gid && info.Mode()&0o040 != 0
	switch {
	case err == nil && os.Geteuid() == 0 && uid >= 0 && !served:
		return true, fmt.Errorf("the key file %s cannot be read by user %s, which lvsd.service runs as: chown root:%[2]s %[1]s, chmod 0640 %[1]s", path, Service)
	case err == nil || judge(path, info) == nil && served && os.Geteuid() != uid:
		return false, nil
	default:
		return false, cmp.Or(judge(path, info), err)
	}
}

// judge refuses a file that others than root and lvsd can read, change or replace.
func judge(path string, info fs.FileInfo) error {
	if err := judgeFile(path, info); err != nil {
		return err
	}
	uid, _ := service()
	_, err := trust.File(path, "replace the key", os.Geteuid(), uid)
	if errors.Is(err, fs.ErrPermission) {
		return nil // Somebody else can look at the way there.
	}
	return err
}

func judgeFile(path string, info fs.FileInfo) error {
	uid, gid := service()
	st, mode := info.Sys().(*syscall.Stat_t), info.Mode()
	owner, group := int(st.Uid), int(st.Gid)
	switch {
	case !mode.IsRegular():
		return fmt.Errorf("the key file %s is no regular file", path)
	case owner != 0 && owner != os.Geteuid() && owner != uid:
		return fmt.Errorf("the key file %s belongs to user %d, who can read and change it: chown root:%s %[1]s", path, owner, Service)
	case mode&0o007 != 0:
		return fmt.Errorf("the key file %s is open to everybody (mode %04o): chown root:%s %[1]s, chmod 0640 %[1]s, and replace the key, since others may know it", path, mode.Perm(), Service)
	case mode&0o020 != 0:
		return fmt.Errorf("the key file %s can be changed by its group (mode %04o): chmod 0640 %[1]s", path, mode.Perm())
	case mode&0o040 != 0 && group != 0 && group != os.Getegid() && group != gid:
		return fmt.Errorf("the key file %s can be read by group %d: chgrp %s %[1]s, and replace the key, since others may know it", path, group, Service)
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

// Credential reads the key of a credential, which systemd lets only the service's
// user read, and sets when the service starts. Its errors say what to do.
func Credential(name string) (string, error) {
	dir := Credentials()
	how := fmt.Sprintf("write LoadCredential=%s:/PATH/OF/THE/KEY below [Service] in a drop-in (systemctl edit lvsd), and restart lvsd, since credentials are set at the start", name)
	if dir == "" {
		return "", fmt.Errorf("there is no credential %q, because lvsd was started without any: %s", name, how)
	}
	f, err := os.OpenFile(filepath.Join(dir, name), os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_NOCTTY, 0)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", fmt.Errorf("there is no credential %q: %s", name, how)
	case err != nil:
		return "", fmt.Errorf("opening the credential %q: %w", name, err)
	}
	defer f.Close()
	return read(f.Name(), f)
}

// read reads a key.
func read(path string, from io.Reader) (string, error) {
	text, err := io.ReadAll(io.LimitReader(from, int64(maxText)+1))
	if err != nil {
		return "", fmt.Errorf("reading the key file: %w", err)
	}
	if len(text) > maxText {
		return "", fmt.Errorf("the key file %s has more than a key of %d bytes: write the key alone, on one line", path, Max)
	}
	key, err := decode(strings.TrimRight(string(text), "\r\n"))
	if err != nil {
		return "", fmt.Errorf("the key file %s %w", path, err)
	}
	return key, nil
}

// decode returns the bytes of a key. No error has any of them.
func decode(text string) (string, error) {
	key := text
	digits, isHex := strings.CutPrefix(text, hexadecimal)
	if isHex {
		bytes, err := hex.DecodeString(digits)
		if err != nil {
			return "", fmt.Errorf("has something else than pairs of hexadecimal digits after %q", hexadecimal)
		}
		key = string(bytes)
	}
	switch {
	case !isHex && strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' }):
		return "", fmt.Errorf("has bytes that are not printable: write %q and the key in hexadecimal digits", hexadecimal)
	case len(key) < Min:
		return "", fmt.Errorf("has a key of %d bytes, and it needs %d at least: replace it on all directors (echo hex:$(openssl rand -hex 32))", len(key), Min)
	case len(key) > Max:
		return "", fmt.Errorf("has a key of %d bytes, and it may have %d at most", len(key), Max)
	}
	return key, nil
}
