package checker

import (
	"errors"
	"fmt"
)

// FTP is a probe that passes when a server greets by FTP, a user can log in, and a file
// is there, as far as these are given.
type FTP struct {
	Channel
	Login Login `json:"login,omitzero"`
	// File is the path of a file that must be there; empty: none.
	File string `json:"file,omitempty"`
	// Expect is what must be in the file, which else is not read.
	Expect Expect `json:"expect,omitzero"`
}

// Kind returns "ftp".
func (FTP) Kind() string { return "ftp" }

// Anonymous reports whether the user is one who needs no password (RFC 1635).
func (o FTP) Anonymous() bool {
	return (o.Login.User == "anonymous" || o.Login.User == "ftp") && o.Login.Password == Secret{}
}

// Validate returns what is wrong with the options of an FTP probe; nil if they can be
// used.
func (o FTP) Validate() error {
	switch {
	case !isText(o.File):
		return fmt.Errorf("file %.40q must be a path without control characters", o.File)
	case o.File == "" && !o.Expect.Empty():
		return errors.New("what is expected must be in a file: name one")
	case o.File != "" && o.Login.User == "":
		return errors.New("a file is shown only to a user: set user, which may be anonymous")
	case !o.Anonymous() && (o.Login.User == "") != (o.Login.Password == Secret{}):
		return errors.New("a user and a password belong together")
	}
	return errors.Join(o.Channel.Validate(), o.Login.Validate(), o.Expect.Validate())
}
