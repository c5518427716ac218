package vrrp

import (
	"crypto/subtle"
	"time"
)

// An Authentication is by what the directors of a virtual router know each other's
// adverts.
type Authentication struct {
	// Password is sent in the clear in version 2, and expected there; empty: none. It
	// keeps mistakes apart, such as two clusters with the same id, and no attackers.
	Password string
	// Keys are those that the HMAC of an advert may be by; none: there is no HMAC.
	Keys []Key
	// Signer is the id of the key by which our own adverts are signed.
	Signer uint8
	// Mode is what is signed and what is accepted. It is Enforce unless the HMAC is
	// being introduced.
	Mode AuthMode
	// Window is how far the time at which an advert was signed may be from ours, in
	// whole seconds. With 0 the clocks may differ, and an advert must only come after
	// the one before it.
	Window time.Duration
}

// An AuthMode is what a router with keys signs and accepts.
type AuthMode string

// The modes, in the order in which they are gone through to introduce an HMAC.
const (
	ReceiveOnly AuthMode = "receive-only" // signs nothing, and accepts what is not signed
	Permissive  AuthMode = "permissive"   // signs, and accepts what is not signed
	Enforce     AuthMode = "enforce"      // signs, and accepts only what is signed
)

// A Key is one key, known by its id on all directors.
type Key struct {
	ID uint8
	// File is the path of the file that it is read from, or Credential the name of
	// the credential of systemd.
	File, Credential string
	Secret           Secret
}

// A Secret is the text of a key. It is neither printed nor encoded, whatever it is
// part of: who needs the text calls Reveal.
type Secret struct{ text *string }

// NewSecret returns a text as a Secret.
func NewSecret(text string) Secret { return Secret{&text} }

// Reveal returns the text; empty: there is none.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

const hidden = "(secret)"

// String returns a word in place of the text.
func (Secret) String() string { return hidden }

// GoString returns a word in place of the text.
func (Secret) GoString() string { return hidden }

// MarshalText returns a word in place of the text.
func (Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// UnmarshalText reads what MarshalText returns, which has no text.
func (*Secret) UnmarshalText([]byte) error { return nil }

// GobEncode leaves the text out.
func (Secret) GobEncode() ([]byte, error) { return nil, nil }

// GobDecode reads what GobEncode returns.
func (*Secret) GobDecode([]byte) error { return nil }

// signs reports whether our adverts are signed.
func (a *Authentication) signs() bool { return len(a.Keys) > 0 && a.Mode != ReceiveOnly }

// enforced reports whether only adverts that are signed are accepted.
func (a *Authentication) enforced() bool { return len(a.Keys) > 0 && a.Mode == Enforce }

// byOrder reports whether a replay is told by the order of sequences alone, so that they
// must not go back, whatever the clock does.
func (a *Authentication) byOrder() bool { return a.Window == 0 }

// password is what adverts carry.
func (a *Authentication) password() (p Password) {
	copy(p[:], a.Password)
	return p
}

// checkPassword refuses an advert of version 2 whose password is not the configured
// one.
func (a *Authentication) checkPassword(ad Advert) (err error) {
	want := a.password()
	switch {
	case want == (Password{}) && ad.Password != want:
		_, err = refuse(ReasonAuthentication, "it has a password, but this router has none: configure the same authentication on both directors")
	case want != (Password{}) && ad.Password == (Password{}):
		_, err = refuse(ReasonAuthentication, "it has no password, but this router has one: configure the same authentication on both directors")
	case subtle.ConstantTimeCompare(want[:], ad.Password[:]) == 0:
		_, err = refuse(ReasonPassword, "it has another password than this router: configure the same one on both directors")
	}
	return err
}
