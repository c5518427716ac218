package checker

import "fmt"

// A Login is whom a probe says it is, and where its password is kept. The password
// itself is in no Spec: what reads a configuration, and whoever is shown a target,
// needs none.
type Login struct {
	User     string `json:"user,omitempty"`
	Password Secret `json:"password,omitzero"`
}

// A Secret is where a secret is kept: in a file, or in a credential of systemd. The zero
// Secret is none.
type Secret struct {
	File       string `json:"file,omitempty"` // an absolute path
	Credential string `json:"credential,omitempty"`
}

// String returns where it is, in messages.
func (s Secret) String() string {
	if s.File != "" {
		return s.File
	}
	return fmt.Sprintf("the credential %q", s.Credential)
}

// MaxUser bounds the name of a user, in bytes.
const MaxUser = 255

// ValidateSession returns what is wrong with whom a probe says it is, and with how it
// speaks TLS; nil if both can be used.
func ValidateSession(l Login, secure *TLS) error {
	if secure != nil {
		if err := secure.Validate(); err != nil {
			return err
		}
	}
	return l.Validate()
}

// Validate returns what is wrong with a login; nil if it can be used.
func (l Login) Validate() error {
	if len(l.User) > MaxUser || !isText(l.User) {
		return fmt.Errorf("user %.40q must be text without control characters, of up to %d bytes", l.User, MaxUser)
	}
	return nil
}
