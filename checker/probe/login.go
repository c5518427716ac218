package probe

import (
	"context"
	"fmt"
	"os"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/keyfile"
)

// passwords are the files and credentials that have passwords, and a passwordFile is one
// of them.
type (
	passwords    = files[checker.Secret, string]
	passwordFile = file[checker.Secret, string]
)

// readPassword returns a password: the one known, if its file has not changed.
func readPassword(s checker.Secret, known content[string]) (content[string], error) {
	now := content[string]{}
	if info, err := os.Stat(keyfile.Path(s.File, s.Credential)); err == nil {
		now.version = versionOf(info) // Looked at first: what changes meanwhile is read again.
	}
	if known.value != "" && now.version == known.version {
		return known, nil
	}
	var err error
	if now.value, err = keyfile.Password.Read(s.File, s.Credential); err != nil {
		return content[string]{}, err
	}
	return now, nil
}

// A login is a checker.Login made ready to run.
type login struct {
	user   string
	secret *passwordFile // nil: there is no password
}

// newLogin makes a login ready to run.
func newLogin(all *passwords, o checker.Login) login {
	l := login{user: o.User}
	if o.Password != (checker.Secret{}) {
		l.secret = all.file(o.Password)
	}
	return l
}

// password returns the password as it is now; empty: there is none. That it cannot be
// read is no fault of the server's.
func (l login) password(ctx context.Context) (string, error) {
	if l.secret == nil {
		return "", nil
	}
	text, err := l.secret.value(ctx)
	if err != nil {
		return "", notRun(fmt.Errorf("the check cannot log in: %w", err))
	}
	return text, nil
}
