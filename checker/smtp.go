package checker

import (
	"errors"
	"fmt"
)

// SMTP is a probe that passes when a mail server greets. Empty fields stand for the
// defaults.
type SMTP struct {
	Channel
	// Name is what the probe says that this director is called; empty: its address, as
	// "[192.0.2.1]".
	Name string `json:"name,omitempty"`
	// Code is that of the greeting; zero: 220. With another one, nothing else is asked.
	Code int `json:"code,omitempty"`
}

// Kind returns "smtp".
func (SMTP) Kind() string { return "smtp" }

// Validate returns what is wrong with the options of an SMTP probe; nil if they can be
// used.
func (o SMTP) Validate() error {
	switch {
	case !isWord(o.Name):
		return fmt.Errorf("name %q must be a host name", o.Name)
	case o.Code != 0 && (o.Code < 200 || o.Code > 599):
		return fmt.Errorf("code %d must be from 200 to 599", o.Code)
	case o.StartTLS && o.Code != 0 && o.Code != 220:
		return errors.New("a server that does not greet by 220 is not asked for STARTTLS")
	}
	return o.Channel.Validate()
}
