package config

import (
	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/block"
)

// A login is whom a check says it is, and where its password is read from.
type login struct{ user, file, credential string }

// loginOptions are the options of a check that logs in.
func loginOptions[T any](of func(*T) *login) []block.Entry[T] {
	return []block.Entry[T]{
		validText("user", "Whom the check logs in as. It needs no rights beyond what the check asks.",
			"", func(s string) error { return checker.Login{User: s}.Validate() }, func(t *T) *string { return &of(t).user }).Unless("none"),
		block.Text("password_file", "The file that has the password, on one line; the password itself is never in the configuration. Nobody but root and lvsd may be able to read it: chown root:lvsd and chmod 0640, or lvsd's own with 0600. It is read again when it changes, without a reload.",
			"", secretFile("password_file", "/etc/lvsd/check.password", "password"), func(t *T) *string { return &of(t).file }).Within("an absolute path").Unless("none").Secret(),
		block.Text("password_credential", "The name of a credential of systemd that has the password, in place of a file (LoadCredential= or LoadCredentialEncrypted= in a drop-in of lvsd.service). It is set when lvsd is started.",
			"", credential, func(t *T) *string { return &of(t).credential }).Within("a name").Unless("none"),
	}
}

// compile works out a login.
func (l *login) compile(b *block.Body) checker.Login {
	return checker.Login{User: l.user, Password: l.secret(b, "password_file", "password_credential")}
}

// secret works out where a secret is read from. What a block says of it by these options
// replaces what it has inherited.
func (l *login) secret(b *block.Body, inFile, inCredential string) checker.Secret {
	switch file, other := b.Given(inFile), b.Given(inCredential); {
	case file && other:
		b.Mistake(b.NameAt(inCredential), "Secret from two places", "It is read from a file or from a credential: remove one of the two.")
	case file && l.file != "":
		l.credential = ""
		b.Claim(passwordText, l.file, "", b.At(inFile))
	case other && l.credential != "":
		l.file = ""
		b.Claim(passwordText, "", l.credential, b.At(inCredential))
	}
	return checker.Secret{File: l.file, Credential: l.credential}
}

// withPassword is compile for a check that logs in by a password, with or without a user.
func (l *login) withPassword(b *block.Body) checker.Login {
	all := l.compile(b)
	if all.User != "" && all.Password == (checker.Secret{}) && !b.Given("password_file") && !b.Given("password_credential") {
		b.Mistake(b.Head, "Missing password", "The check has a user and no password: write password_file = \"/etc/lvsd/check.password\", or remove user.")
	}
	return all
}

// withBoth is withPassword for a check that logs in as a user.
func (l *login) withBoth(b *block.Body) checker.Login {
	all := l.withPassword(b)
	if all.User == "" && all.Password != (checker.Secret{}) && !b.Given("user") {
		b.Mistake(b.Head, "Missing user", "The check has a password and no user: write user = \"lvsd\", or remove the password.")
	}
	return all
}
