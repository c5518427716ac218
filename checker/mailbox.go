package checker

import "errors"

// A Mailbox is a probe that passes when a server greets which has users' mail, and a
// user can log in, if there is one.
type Mailbox struct {
	Channel
	Login Login `json:"login,omitzero"`
}

// Validate returns what is wrong with the options of a probe of mailboxes; nil if they
// can be used.
func (o Mailbox) Validate() error {
	if (o.Login.User == "") != (o.Login.Password == Secret{}) {
		return errors.New("a user and a password belong together")
	}
	return errors.Join(o.Channel.Validate(), o.Login.Validate())
}

// IMAP is a Mailbox by IMAP.
type IMAP struct{ Mailbox }

// Kind returns "imap".
func (IMAP) Kind() string { return "imap" }

// POP3 is a Mailbox by POP3.
type POP3 struct{ Mailbox }

// Kind returns "pop3".
func (POP3) Kind() string { return "pop3" }
