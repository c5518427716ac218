package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/lvsd/lvsd/internal/block"
	"github.com/lvsd/lvsd/vrrp"
)

// maxPassword is the room for a password in a version 2 advert, in bytes (RFC 2338
// section 5.3.10).
const maxPassword = 8

// An authentication is a vrrp.Authentication as it is written.
type authentication struct {
	vrrp.Authentication
	byOrder bool
}

var authenticationTable = block.NewTable("authentication", func() []block.Entry[authentication] {
	return []block.Entry[authentication]{
		block.Text("password", "The password that each advert of version 2 carries in the clear (keepalived's auth_type PASS). It is no security, because everybody on the network can read it: it only keeps apart directors that have the same id by mistake. Use it for a peer that wants one.",
			"", password, func(a *authentication) *string { return &a.Password }).Within("1 to 8 bytes").Unless("none").Secret(),
		block.Many[authentication]("key", "A key that adverts may be signed with. The label is its id, 1 to 255, by which all directors know it. There can be several, so that a new one is known everywhere before a director signs with it.",
			keyTable.Schema(), "id"),
		block.Count("signer", "The id of the key that this director signs its adverts with.",
			0, 1, 255, func(a *authentication) *uint8 { return &a.Signer }).Unless("that of the only key"),
		block.Choice("mode", "What is signed and what is accepted. The first two modes are for the time in which the directors are given their keys, one after the other.", "enforce",
			[]block.Word[vrrp.AuthMode]{
				{Name: "receive-only", Value: vrrp.ReceiveOnly, Help: "Sign nothing. Accept adverts that are not signed, and those that are signed with one of the keys."},
				{Name: "permissive", Value: vrrp.Permissive, Help: "Sign, and accept the same."},
				{Name: "enforce", Value: vrrp.Enforce, Help: "Sign, and accept only what is signed with one of the keys."},
			}, func(a *authentication) *vrrp.AuthMode { return &a.Mode }),
		block.Choice("replay", "How an advert is recognized that somebody has recorded and sends again.", "time",
			[]block.Word[bool]{
				{Name: "time", Value: false, Help: "It was signed too long ago. The directors' clocks must agree (NTP): if they do not, adverts are refused, and both directors become Master."},
				{Name: "order", Value: true, Help: "One that was signed later has arrived before it. The clocks may differ, but what was recorded before a director was started is accepted from it until it has heard something newer."},
			}, func(a *authentication) *bool { return &a.byOrder }),
		block.Duration("window", "With replay = \"time\": how far the time at which an advert was signed may be from this director's. In whole seconds.",
			0, time.Second, maxWindow, func(a *authentication) *time.Duration { return &a.Window }).Unless("three times advert_interval, at least 5s and at most 5m"),
	}
})

// The bounds of a window that is not configured; the upper one holds for all.
const (
	minWindow = 5 * time.Second
	maxWindow = 5 * time.Minute
)

var keyTable = block.NewTable("key", func() []block.Entry[vrrp.Key] {
	return []block.Entry[vrrp.Key]{
		block.Text("file", "The file that has the key: 32 to 64 printable bytes on one line, or hex: and twice as many hexadecimal digits, as keepalived reads it. Nobody but root and lvsd may be able to read it: chown root:lvsd and chmod 0640, or lvsd's own with 0600. A key that has changed is read by a reload.",
			"", secretFile("key file", "/etc/lvsd/vrrp.key", "key"), func(k *vrrp.Key) *string { return &k.File }).Within("an absolute path").Unless("the credential"),
		block.Text("credential", "The name of a credential of systemd that has the key, in place of a file (LoadCredential= or LoadCredentialEncrypted= in a drop-in of lvsd.service). It is set when lvsd is started.",
			"", credential, func(k *vrrp.Key) *string { return &k.Credential }).Within("a name").Unless("the file"),
	}
})

// readAuthentication reads by what the directors know each other's adverts.
func readAuthentication(b *block.Body, c *vrrp.Config) {
	inner, ok := b.Block("authentication")
	if !ok {
		return
	}
	a := authenticationTable.Start()
	authenticationTable.Decode(inner, &a)
	a.Keys = readKeys(inner)
	switch {
	case inner.Given("password") && inner.Count("key") > 0:
		inner.Mistake(inner.NameAt("password"), "Password beside keys", "Adverts that are signed need no password: remove it, or the keys.")
	case inner.Given("password"):
		inner.Unused("Only keys need it: write a key block, or remove it.", "signer", "mode", "replay", "window")
		if a.Password != "" && c.Version != 2 && !b.Refused("version") {
			inner.Mistake(inner.NameAt("password"), "Password without version 2", "Version 3 has no passwords: remove it, or set version = 2.")
		}
		c.Authentication.Password = a.Password
	case inner.Count("key") == 0 && inner.Clean():
		inner.Mistake(inner.Head, "Missing key", "This block needs a key, such as key \"1\" { file = \"/etc/lvsd/vrrp.key\" }, or, with version = 2, a password.")
	case len(a.Keys) > 0:
		checkSigner(inner, &a)
		checkWindow(inner, &a, c.Interval)
		if a.Window > 0 {
			b.Claim(signedTime, "", "", inner.Head)
		}
		c.Authentication = a.Authentication
	}
}

// readKeys reads the keys, but for their text, which no configuration has.
func readKeys(b *block.Body) (keys []vrrp.Key) {
	for inner := range b.Blocks("key") {
		k := keyTable.Read(inner)
		id, err := strconv.ParseUint(inner.Labels[0], 10, 8)
		k.ID = uint8(id)
		switch {
		case err != nil || id == 0:
			b.Mistake(inner.LabelAt(0), "Invalid key id", "The label of a key is its id, from 1 to 255, such as key \"1\" { … }.")
		case slices.ContainsFunc(keys, func(o vrrp.Key) bool { return o.ID == k.ID }):
			b.Mistake(inner.LabelAt(0), "Duplicate key id", "There is a key %d already: all directors know a key by its id.", id)
		case inner.Given("file") && inner.Given("credential"):
			b.Mistake(inner.NameAt("credential"), "Key from two places", "A key is read from a file or from a credential: remove one of the two.")
		case !inner.Given("file") && !inner.Given("credential"):
			inner.Require("file", `file = "/etc/lvsd/vrrp.key"`)
		case k.File != "":
			b.Claim(keyText, k.File, "", inner.At("file"))
			keys = append(keys, k)
		case k.Credential != "":
			b.Claim(keyText, "", k.Credential, inner.At("credential"))
			keys = append(keys, k)
		}
	}
	return keys
}

// checkSigner checks that the key to sign with is there.
func checkSigner(b *block.Body, a *authentication) {
	switch {
	case a.Mode == vrrp.ReceiveOnly || b.Refused("signer"):
	case !b.Given("signer") && b.Count("key") == 1:
		a.Signer = a.Keys[0].ID
	case !b.Given("signer"):
		b.Require("signer", fmt.Sprintf("signer = %d", a.Keys[0].ID))
	case len(a.Keys) == b.Count("key") && !slices.ContainsFunc(a.Keys, func(k vrrp.Key) bool { return k.ID == a.Signer }):
		b.Mistake(b.At("signer"), "Unknown signer", "There is no key %d: write key \"%[1]d\" { … }, or sign with another one.", a.Signer)
	}
}

// checkWindow checks the window, or makes one of the interval.
func checkWindow(b *block.Body, a *authentication, interval time.Duration) {
	switch {
	case a.byOrder:
		b.Unused("With replay = \"order\" the time does not count: remove it, or set replay = \"time\".", "window")
		a.Window = 0
	case !b.Given("window"):
		a.Window = min(max(3*interval+time.Second-1, minWindow), maxWindow).Truncate(time.Second)
	case a.Window%time.Second != 0:
		b.Mistake(b.At("window"), "Invalid window", "Adverts tell whole seconds, but this is %s: round it.", block.Short(a.Window))
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
