package config

import (
	"path/filepath"
	"strings"
	"unicode"

	"github.com/lvsd/lvsd/internal/block"
)

// secretFile checks the path of a file with a secret. A relative path could not be told
// from a secret that somebody writes in its place, and that nothing is to show.
func secretFile(name, example, what string) func(*block.Body, string, block.Place) (string, bool) {
	return func(b *block.Body, s string, at block.Place) (string, bool) {
		if !filepath.IsAbs(s) || len(s) > 4095 || strings.ContainsFunc(s, unicode.IsControl) {
			b.Mistake(at, "Invalid "+name, "Write the whole path of a file (%s). The %s itself is never in the configuration.", example, what)
			return "", false
		}
		return s, true
	}
}

// credential checks the name of a credential (systemd.exec(5)).
func credential(b *block.Body, s string, at block.Place) (string, bool) {
	if s == "" || s == "." || s == ".." || len(s) > 255 || strings.ContainsFunc(s, func(r rune) bool { return r == '/' || r <= ' ' || r > '~' }) {
		b.Mistake(at, "Invalid credential", "Write the name of a credential, as in LoadCredential=NAME:PATH: it has neither a slash nor a space.")
		return "", false
	}
	return s, true
}
