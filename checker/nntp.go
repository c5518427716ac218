package checker

import (
	"errors"
	"fmt"
)

// NNTP is a probe that passes when a news server answers.
type NNTP struct {
	Channel
	Login Login `json:"login,omitzero"`
	// Group is a newsgroup that must be there; empty: the server is asked for its time.
	Group string `json:"group,omitempty"`
}

// Kind returns "nntp".
func (NNTP) Kind() string { return "nntp" }

// Validate returns what is wrong with the options of an NNTP probe; nil if they can be
// used.
func (o NNTP) Validate() error {
	switch {
	case !isWord(o.Group):
		return fmt.Errorf("group %.40q must be the name of a newsgroup", o.Group)
	case (o.Login.User == "") != (o.Login.Password == Secret{}):
		return errors.New("a user and a password belong together")
	}
	return errors.Join(o.Channel.Validate(), o.Login.Validate())
}
