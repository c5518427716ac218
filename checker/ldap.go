package checker

import (
	"errors"
	"fmt"
)

// LDAP is a probe that passes when a directory accepts a bind, and an entry has what it
// should have.
type LDAP struct {
	Login
	// TLS is spoken on the connection; nil: it is not. With StartTLS, it begins in plain text.
	TLS      *TLS `json:"tls,omitempty"`
	StartTLS bool `json:"starttls,omitempty"`
	// Base is the name of the entry that is searched for, or below which one is; empty:
	// the directory itself.
	Base string `json:"base,omitempty"`
	// Scope is how far below Base is searched, one of LDAPScopes; empty: not at all.
	Scope string `json:"scope,omitempty"`
	// Filter is which entry is searched for (RFC 4515); empty: any.
	Filter string `json:"filter,omitempty"`
	// Attribute is what the entry must have; empty: anything.
	Attribute string `json:"attribute,omitempty"`
	// Expect is what the values of the attribute must have, each on a line of its own.
	Expect Expect `json:"expect,omitzero"`
}

// LDAPScopes are how far below an entry is searched, with their numbers in the protocol.
var LDAPScopes = map[string]byte{"base": 0, "one": 1, "sub": 2}

// Kind returns "ldap".
func (LDAP) Kind() string { return "ldap" }

// Searches reports whether an entry is searched for.
func (o LDAP) Searches() bool { return o.Base+o.Scope+o.Filter+o.Attribute != "" }

// Validate returns what is wrong with the options of the probe; nil if they can be used.
func (o LDAP) Validate() error {
	if _, ok := LDAPScopes[o.Scope]; !ok && o.Scope != "" {
		return fmt.Errorf("scope %q must be base, one or sub", o.Scope)
	}
	for name, text := range map[string]string{"base": o.Base, "filter": o.Filter, "attribute": o.Attribute} {
		if len(text) > MaxSend/4 || !isText(text) {
			return fmt.Errorf("%s %.40q must be text without control characters, of up to %d bytes", name, text, MaxSend/4)
		}
	}
	if _, err := LDAPFilter(o.Filter); err != nil {
		return err
	}
	if o.Attribute == "" && !o.Expect.Empty() {
		return errors.New("what is expected must be in an attribute")
	}
	if o.StartTLS && o.TLS == nil {
		return errors.New("StartTLS needs TLS")
	}
	return errors.Join(ValidateSession(o.Login, o.TLS), o.Expect.Validate())
}
