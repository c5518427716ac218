package vrrp

import "crypto/subtle"

// An Authentication is by what the directors of a virtual router know each other's
// adverts.
type Authentication struct {
	// Password is sent in the clear in version 2, and expected there; empty: none. It
	// keeps mistakes apart, such as two clusters with the same id, and no attackers.
	Password string
}

// password is what adverts carry.
func (a *Authentication) password() (p Password) {
	copy(p[:], a.Password)
	return p
}

// check refuses an advert of version 2 whose password is not the configured one.
func (a *Authentication) check(ad Advert) (err error) {
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
