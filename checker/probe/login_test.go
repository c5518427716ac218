package probe

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lvsd/lvsd/checker"
)

// passwordAt writes a password into a file of its own, and returns a login with it.
func passwordAt(t testing.TB, user, password string) checker.Login {
	t.Helper()
	path := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(path, []byte(password+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return checker.Login{User: user, Password: checker.Secret{File: path}}
}

func TestPasswordIsReadAgainWhenItsFileChanges(t *testing.T) {
	p := New(nil)
	reads := 0
	read := p.passwords.read
	p.passwords.read = func(s checker.Secret, known content[string]) (content[string], error) {
		now, err := read(s, known)
		if now != known {
			reads++
		}
		return now, err
	}
	o := passwordAt(t, "lvsd", "first")
	path := o.Password.File
	l := newLogin(p.passwords, o)
	steps := []struct {
		name   string
		change func() error
		want   string
		wrong  string // why it cannot be used
		reads  int
	}{
		{"at first", func() error { return nil }, "first", "", 1},
		{"unchanged, it is not read again", func() error { return nil }, "first", "", 1},
		{"written over", func() error { return os.WriteFile(path, []byte("other"), 0) }, "other", "", 2},
		{"replaced by one of the same length", func() error {
			return errors.Join(os.WriteFile(path+"2", []byte("third"), 0o600), os.Rename(path+"2", path))
		}, "third", "", 3},
		{"opened to everybody", func() error { return os.Chmod(path, 0o644) }, "", path + " is open to everybody (mode 0644): chown root:lvsd", 4},
		{"closed again", func() error { return os.Chmod(path, 0o600) }, "third", "", 5},
		{"emptied", func() error { return os.Truncate(path, 0) }, "", path + " is empty: write the password into it", 6},
		{"removed", func() error { return os.Remove(path) }, "", "there is no password file " + path, 6},
	}
	for _, s := range steps {
		if err := s.change(); err != nil {
			t.Fatal(err)
		}
		got, err := l.password(t.Context())
		if got != s.want || (err == nil) != (s.wrong == "") || reads != s.reads {
			t.Fatalf("%s: %q, %v after %d reads; want %q after %d", s.name, got, err, reads, s.want, s.reads)
		}
		if own := (notRunError{}); err != nil && (!errors.As(err, &own) || !strings.Contains(err.Error(), s.wrong)) {
			t.Errorf("%s: %v, want %s as a reason of this director's own", s.name, err, s.wrong)
		}
	}
}

func TestPasswordOfACredential(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("CREDENTIALS_DIRECTORY", dir)
	l := newLogin(New(nil).passwords, checker.Login{Password: checker.Secret{Credential: "redis"}})
	if _, err := l.password(t.Context()); err == nil || !strings.Contains(err.Error(), `the check cannot log in: there is no credential "redis": write LoadCredential=redis:/PATH/OF/THE/PASSWORD`) {
		t.Errorf("without one: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "redis"), []byte("secret"), 0o400); err != nil {
		t.Fatal(err)
	}
	if got, err := l.password(t.Context()); got != "secret" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}

func TestPasswordIsInNoSpec(t *testing.T) {
	o := passwordAt(t, "lvsd", "hunter2")
	if text := fmt.Sprintf("%+v %v", o, o.Password); strings.Contains(text, "hunter2") || !strings.Contains(text, o.Password.File) {
		t.Errorf("a login is %s", text)
	}
	if got := without(`ERR unknown command "AUTH lvsd hunter2"`, "hunter2", ""); got != `ERR unknown command "AUTH lvsd [hidden]"` {
		t.Errorf("told: %s", got)
	}
}
