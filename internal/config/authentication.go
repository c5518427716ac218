package config

import (
	"strings"
	"unicode"

	"github.com/lvsd/lvsd/internal/block"
	"github.com/lvsd/lvsd/vrrp"
)

// maxPassword is the room for a password in a version 2 advert, in bytes (RFC 2338
// section 5.3.10).
const maxPassword = 8

var authenticationTable = block.NewTable("authentication",
	block.Text("password", "The password that each advert of version 2 carries in the clear (keepalived's auth_type PASS). It is no security, because everybody on the network can read it: it only keeps apart directors that have the same id by mistake. Use it for a peer that wants one.",
		"", password, func(a *vrrp.Authentication) *string { return &a.Password }).Within("1 to 8 bytes").Unless("none").Secret(),
)

// readAuthentication reads by what the directors know each other's adverts.
func readAuthentication(b *block.Body, c *vrrp.Config) {
	inner, ok := b.Block("authentication")
	if !ok {
		return
	}
	authenticationTable.Decode(inner, &c.Authentication)
	switch {
	case !inner.Given("password") && inner.Clean():
		inner.Require("password", `password = "secret12"`)
	case c.Authentication.Password != "" && c.Version != 2 && !b.Refused("version"):
		inner.Mistake(inner.NameAt("password"), "Password without version 2", "Version 3 has no passwords: remove it, or set version = 2.")
	}
}

// password checks a password; no message shows it.
func password(b *block.Body, s string, at block.Place) (string, bool) {
	switch {
	case s == "":
		b.Mistake(at, "Empty password", "A password has 1 to %d bytes: write one, or remove the block.", maxPassword)
	case len(s) > maxPassword:
		b.Mistake(at, "Password too long", "An advert has room for %d bytes, but the password has %d. keepalived takes the first %d of a longer one: write only those.", maxPassword, len(s), maxPassword)
	case strings.ContainsFunc(s, unicode.IsControl):
		b.Mistake(at, "Invalid password", "A password has no control characters.")
	default:
		return s, true
	}
	return "", false
}
