package checker

import (
	"errors"
	"fmt"
)

// Radius is a probe that passes when a RADIUS server answers as it should, in a packet that
// is signed by the secret that it shares with this director.
type Radius struct {
	// Login is whose access is asked for; without a user, the server is asked for its
	// status (RFC 5997).
	Login
	// Secret is what the server shares with this director.
	Secret Secret `json:"secret,omitzero"`
	// Answer is what it must answer to a login, one of RadiusAnswers; empty: "accept".
	Answer string `json:"answer,omitempty"`
}

// RadiusAnswers are what a server may have to answer; "any" is any of the others.
var RadiusAnswers = []string{"accept", "reject", "challenge", "any"}

// Kind returns "radius".
func (Radius) Kind() string { return "radius" }

// MaxRadius bounds a password, and the name of a user, in bytes (RFC 2865, sections 5.1
// and 5.2).
const MaxRadius = 128

// Validate returns what is wrong with the options of the probe; nil if they can be used.
func (o Radius) Validate() error {
	known := o.Answer == ""
	for _, a := range RadiusAnswers {
		known = known || a == o.Answer
	}
	switch {
	case !known:
		return fmt.Errorf("answer %q must be accept, reject, challenge or any", o.Answer)
	case o.Secret == Secret{}:
		return errors.New("a server is asked with the secret that it shares with this director")
	case o.User == "" && (o.Answer != "" || o.Password != Secret{}):
		return errors.New("a password and an answer need a user")
	case len(o.User) > MaxRadius:
		return fmt.Errorf("the user's name has %d bytes, and there is room for %d", len(o.User), MaxRadius)
	}
	return o.Login.Validate()
}
