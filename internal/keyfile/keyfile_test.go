package keyfile

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// This machine may have lvsd installed.
func init() { service = func() (uid, gid int) { return -1, -1 } }

const good = "lvsd-test-key-of-thirty-two-byte"

func TestWhatAKeyIs(t *testing.T) {
	digits := strings.Repeat("0f", 32)
	for _, tt := range []struct {
		name, text, want string
		wrong            string // what its error says
	}{
		{"32 characters, as keepalived has them", good, good, ""},
		{"and the end of the line", good + "\n", good, ""},
		{"as an editor of Windows leaves it", good + "\r\n", good, ""},
		{"64 characters", good + good, good + good, ""},
		{"a space is a character", " " + good, " " + good, ""},
		{"hexadecimal digits", "hex:" + digits + "\n", strings.Repeat("\x0f", 32), ""},
		{"in capitals", "hex:" + strings.ToUpper(digits), strings.Repeat("\x0f", 32), ""},
		{"64 bytes in hexadecimal", "hex:" + digits + digits + "\n", strings.Repeat("\x0f", 64), ""},

		{"nothing", "", "", "has a key of 0 bytes, and it needs 32 at least: replace it"},
		{"the end of a line", "\n", "", "has a key of 0 bytes"},
		{"31 characters", good[1:], "", "has a key of 31 bytes, and it needs 32 at least"},
		{"31 bytes in hexadecimal", "hex:" + digits[2:], "", "has a key of 31 bytes"},
		{"65 characters", good + good + "x", "", "has a key of 65 bytes, and it may have 64 at most"},
		{"an odd number of digits", "hex:" + digits + "0", "", `has something else than pairs of hexadecimal digits after "hex:"`},
		{"no digits", "hex:" + good, "", "has something else than pairs of hexadecimal digits"},
		{"bytes as they come", strings.Repeat("\xff", 32), "", `has bytes that are not printable: write "hex:" and the key in hexadecimal digits`},
		{"a second line", good + "\n" + good, "", "has bytes that are not printable"},
		{"a whole file", strings.Repeat(good, 9), "", "has more than a key of 64 bytes: write the key alone"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "key")
			if err := os.WriteFile(path, []byte(tt.text), 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := Key.Read(path, "")
			_, checked := Key.Check(path, "")
			if got != tt.want || (err == nil) != (tt.wrong == "") || (checked == nil) != (err == nil) {
				t.Fatalf("%q, %v, %v", got, err, checked)
			}
			if err != nil && (!strings.Contains(err.Error(), path+" "+tt.wrong) || strings.Contains(err.Error(), good[:8]) || strings.Contains(err.Error(), "0f0f")) {
				t.Errorf("%v, want %s", err, tt.wrong)
			}
		})
	}
}

func TestWhatAPasswordIs(t *testing.T) {
	long := strings.Repeat("x", MaxPassword)
	for _, tt := range []struct {
		name, text, want string
		wrong            string // what its error says
	}{
		{"a word", "secret", "secret", ""},
		{"and the end of the line", "secret\n", "secret", ""},
		{"as an editor of Windows leaves it", "secret\r\n", "secret", ""},
		{"with spaces, which are a part of it", " a b ", " a b ", ""},
		{"in no English", "naïve-пароль\n", "naïve-пароль", ""},
		{"one that looks like a key", "hex:0f", "hex:0f", ""},
		{"as long as it can be", long + "\n", long, ""},

		{"nothing", "", "", "is empty: write the password into it"},
		{"the end of a line", "\n", "", "is empty"},
		{"too long", long + "\nx", "", "has more than a password of 1024 bytes: write the password alone"},
		{"a second line, which could be a command", "secret\r\nQUIT\r\n", "", "has control characters, more than one line"},
		{"a byte that ends a text", "secret\x00", "", "has control characters"},
		{"what is not UTF-8", "secret\xff", "", "has control characters, more than one line, or something else than UTF-8"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "password")
			if err := os.WriteFile(path, []byte(tt.text), 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := Password.Read(path, "")
			_, checked := Password.Check(path, "")
			if got != tt.want || (err == nil) != (tt.wrong == "") || (checked == nil) != (err == nil) {
				t.Fatalf("%q, %v, %v", got, err, checked)
			}
			if err != nil && (!strings.Contains(err.Error(), path+" "+tt.wrong) || strings.Contains(err.Error(), "secret")) {
				t.Errorf("%v, want %s", err, tt.wrong)
			}
		})
	}
	path := filepath.Join(t.TempDir(), "none")
	if _, err := Password.Read(path, ""); err == nil || !strings.Contains(err.Error(), "there is no password file "+path+": write it (as root: umask 077; cat > "+path+";") {
		t.Errorf("of no file: %v", err)
	}
}

// Who else can read or change a file decides whether it is a key's.
func TestWhoseAKeyIs(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give a file away")
	}
	const nobody = 65534
	for _, tt := range []struct {
		name       string
		uid, gid   int
		mode       fs.FileMode
		wrong, try string // what its error says is wrong, and what to do
	}{
		{"root's alone", 0, 0, 0o600, "", ""},
		{"root's, read by its group", 0, 0, 0o640, "", ""},
		{"root's, and nobody's group may do nothing", 0, nobody, 0o600, "", ""},
		{"read by everybody", 0, 0, 0o644, "is open to everybody (mode 0644)", "chmod 0640"},
		{"changed by everybody", 0, 0, 0o602, "is open to everybody (mode 0602)", "chmod 0640"},
		{"changed by its group", 0, 0, 0o660, "can be changed by its group (mode 0660)", "chmod 0640"},
		{"read by another group", 0, nobody, 0o640, "can be read by group 65534", "chgrp lvsd"},
		{"another user's", nobody, 0, 0o600, "belongs to user 65534, who can read and change it", "chown root:lvsd"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "key")
			if err := errors.Join(os.WriteFile(path, []byte(good), 0o600), os.Chown(path, tt.uid, tt.gid), os.Chmod(path, tt.mode)); err != nil {
				t.Fatal(err)
			}
			got, err := Key.File(path)
			if (err == nil) != (tt.wrong == "") || err == nil && got != good {
				t.Fatalf("%q, %v", got, err)
			}
			if err != nil && (!strings.Contains(err.Error(), path+" "+tt.wrong) || !strings.Contains(err.Error(), tt.try)) {
				t.Errorf("%v, want %s", err, tt.wrong)
			}
		})
	}
}

// Who can change a directory on the way can put a key of his own there. A symbolic link is
// followed, if it is as trusted.
func TestWhoCanReplaceAKey(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give a directory away")
	}
	const nobody = 65534
	for _, tt := range []struct {
		name  string
		edit  func(dir, real string) error
		wrong string
	}{
		{"directories of root alone", func(string, string) error { return nil }, ""},
		{"a directory of another user", func(dir, _ string) error { return os.Chown(dir, nobody, 0) }, "/way, which is on the way to "},
		{"a directory that everybody writes to", func(dir, _ string) error { return os.Chmod(dir, 0o777) }, "is writable by everybody, who could replace the key: run \"chmod o-w"},
		{"a directory that its group writes to", func(dir, _ string) error {
			return errors.Join(os.Chown(dir, 0, nobody), os.Chmod(dir, 0o770))
		}, "is writable by group 65534, whose members could replace the key: run \"chmod g-w"},
		{"a link of another user", func(dir, _ string) error { return os.Lchown(dir+"/link", nobody, 0) }, "/way/link belongs to user 65534, who could replace the key"},
		{"a link to where another user may write", func(_, real string) error { return os.Chown(real, nobody, 0) }, "/real, which is on the way to "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			top := t.TempDir()
			dir, real := top+"/way", top+"/real"
			if err := errors.Join(os.Mkdir(dir, 0o755), os.Mkdir(real, 0o755), os.WriteFile(real+"/key", []byte(good), 0o600),
				os.Symlink("../real/key", dir+"/link"), tt.edit(dir, real)); err != nil {
				t.Fatal(err)
			}
			got, err := Key.File(dir + "/link")
			_, checked := Key.Check(dir+"/link", "")
			if (err == nil) != (tt.wrong == "") || err == nil && got != good || (checked == nil) != (err == nil) {
				t.Fatalf("%q, %v, %v", got, err, checked)
			}
			if err != nil && !strings.Contains(err.Error(), tt.wrong) {
				t.Errorf("%v, want %s", err, tt.wrong)
			}
		})
	}
}

func TestWhatIsNoKeyFile(t *testing.T) {
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		filepath.Join(dir, "none"): "copy it from another director, or make a new key for all (as root: umask 077; echo hex:$(openssl rand -hex 32) > " + dir + "/none;",
		pipe:                       "is no regular file",
		dir:                        "is no regular file",
		"/dev/zero":                "is no regular file",
	} {
		if _, err := Key.File(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", path, err, want)
		}
	}
}

// Keys are judged in a process that may not read what only lvsd may, and by
// administrators who are not to read them.
func TestAKeyThatOnlyTheServiceMayReadIsRight(t *testing.T) {
	const uid = 12345
	was := service
	service = func() (int, int) { return uid, uid }
	t.Cleanup(func() { service = was })
	if os.Getenv("LVSD_TEST_KEYS") != "" {
		for _, name := range []string{"service", "group", "alien", "none"} {
			if _, err := Key.Check(filepath.Join(os.Getenv("LVSD_TEST_KEYS"), name), ""); err != nil {
				t.Logf("%s: %v", name, err)
			} else {
				t.Logf("%s: right", name)
			}
		}
		return
	}
	if os.Geteuid() != 0 {
		t.Skip("only root can be another user")
	}
	dir, err := os.MkdirTemp("", "lvsd-keys")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	binary, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Chmod(dir, 0o755), os.WriteFile(dir+"/test", binary, 0o755),
		os.WriteFile(dir+"/service", []byte(good), 0o600), os.Chown(dir+"/service", uid, uid),
		os.WriteFile(dir+"/group", []byte(good), 0o640), os.Chmod(dir+"/group", 0o640), os.Chown(dir+"/group", 0, uid),
		os.WriteFile(dir+"/alien", []byte(good), 0o600)); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{"service": false, "group": false, "alien": true} {
		if doubt, err := Key.Check(filepath.Join(dir, name), ""); doubt != want || want != (err != nil) || want && !strings.Contains(err.Error(), "cannot be read by user lvsd, which lvsd.service runs as: chown root:lvsd") {
			t.Errorf("as root, %s: doubt %t, %v", name, doubt, err)
		}
	}
	c := exec.Command(dir+"/test", "-test.v", "-test.run", "^"+t.Name()+"$")
	c.Env, c.Dir = append(os.Environ(), "LVSD_TEST_KEYS="+dir), "/"
	c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	out, err := c.CombinedOutput()
	for _, want := range []string{"service: right", "group: right", "alien: user 65534 may not read the key file: chown root:lvsd", "none: there is no key file"} {
		if err != nil || !strings.Contains(string(out), want) {
			t.Errorf("%v, want %q in\n%s", err, want, out)
		}
	}
}

func TestCredentials(t *testing.T) {
	dir := t.TempDir()
	if err := errors.Join(os.WriteFile(filepath.Join(dir, "vrrp"), []byte(good+"\n"), 0o444), os.WriteFile(filepath.Join(dir, "short"), []byte("x"), 0o400)); err != nil {
		t.Fatal(err)
	}
	t.Setenv("CREDENTIALS_DIRECTORY", "")
	if _, err := Key.Read("", "vrrp"); err == nil || !strings.Contains(err.Error(), "lvsd was started without any: write LoadCredential=vrrp:/PATH") {
		t.Errorf("without credentials: %v", err)
	}
	if _, err := Key.Check("", "vrrp"); err != nil {
		t.Errorf("of a service that is not this one: %v", err)
	}
	t.Setenv("CREDENTIALS_DIRECTORY", dir)
	// systemd decides who may read it.
	if got, err := Key.Read("", "vrrp"); got != good || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := Key.Check("", "vrrp"); err != nil {
		t.Error(err)
	}
	if _, err := Key.Check("", "other"); err == nil || !strings.Contains(err.Error(), `there is no credential "other": write LoadCredential=other:`) {
		t.Errorf("one that is not there: %v", err)
	}
	if _, err := Key.Check("", "short"); err == nil || !strings.Contains(err.Error(), "has a key of 1 bytes") {
		t.Errorf("a short one: %v", err)
	}
}
