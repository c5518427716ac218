package heartbeat

import (
	"slices"
	"strconv"
	"strings"

	"github.com/lvsd/lvsd/internal/importer"
)

// A key is a line of authkeys.
type key struct {
	*line
	id             int
	method, secret string
}

// shown is the line without its secret.
func (k key) shown() string { return strings.TrimSpace(strconv.Itoa(k.id) + " " + k.method) }

// A keyring is what authkeys says.
type keyring struct {
	auth   *line
	signer int
	keys   []key
}

// id reads the number of a key.
func id(s string) (n int, ok bool) {
	n, err := strconv.Atoi(s)
	return n, err == nil && n >= 1 && n <= 15
}

// readKeys reads authkeys. No error has anything of a secret, not even of a line that may be
// one.
func readKeys(f File, list []*line) (*keyring, error) {
	k := &keyring{}
	for _, l := range list {
		if err := k.read(l); err != nil {
			return nil, err
		}
	}
	if k.auth == nil {
		return nil, refuse(importer.Place{File: f.Name, Line: 1}, "auth and the number of the key that signs was expected, such as auth 1")
	}
	if !slices.ContainsFunc(k.keys, func(one key) bool { return one.id == k.signer }) {
		return nil, refuse(k.auth.Place, "auth: there is no key %d", k.signer)
	}
	return k, nil
}

// read reads a line: auth and the number of the key that signs, or a number, a method and a key.
func (k *keyring) read(l *line) error {
	if l.words[0] == "auth" {
		n, ok := id(l.arg(1))
		switch {
		case !ok:
			return refuse(l.Place, "auth: the number of a key, from 1 to 15, was expected")
		case k.auth != nil:
			return refuse(l.Place, "auth is there already, in line %d", k.auth.Line)
		}
		k.auth, k.signer = l, n
		return nil
	}
	n, ok := id(l.words[0])
	if !ok {
		return refuse(l.Place, "auth, or the number of a key from 1 to 15 with crc, md5 or sha1 was expected")
	}
	for _, o := range k.keys {
		if o.id == n {
			return refuse(l.Place, "there is a key %d already, in line %d", n, o.Line)
		}
	}
	switch method := l.arg(1); {
	case method == "crc" && (len(l.words) == 2 || strings.HasPrefix(l.words[2], "#")):
	case (method == "md5" || method == "sha1") && len(l.words) > 2:
	default:
		return refuse(l.Place, "crc, or md5 or sha1 and a key, was expected after the number %d", n)
	}
	k.keys = append(k.keys, key{l, n, l.arg(1), l.arg(2)})
	return nil
}

// signs reports whether messages are signed with a secret.
func (k *keyring) signs() bool {
	return k != nil && slices.ContainsFunc(k.keys, func(one key) bool { return one.id == k.signer && one.method != "crc" })
}
