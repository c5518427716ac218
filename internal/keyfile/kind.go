package keyfile

import (
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// A Kind is a kind of secret, of which a file or a credential has one.
type Kind struct {
	what string // in messages: "key"
	// limit is how long the text of one can be, in bytes, and longest what that
	// means to who writes it.
	limit   int
	longest string
	// decode returns the secret that a text stands for. No error has any of it.
	decode func(text string) (string, error)
	// absent is what to do where there is none, by a command whose output is it.
	absent, command string
}

// The kinds of secrets.
var (
	Key = Kind{
		what:    "key",
		limit:   len(hexadecimal) + 2*Max,
		longest: fmt.Sprintf("a key of %d bytes", Max),
		decode:  decodeKey,
		absent:  "copy it from another director, or make a new key for all", command: "echo hex:$(openssl rand -hex 32)",
	}
	Password = Kind{
		what:    "password",
		limit:   MaxPassword,
		longest: fmt.Sprintf("a password of %d bytes", MaxPassword),
		decode:  decodePassword,
		absent:  "write it", command: "cat",
	}
	PrivateKey = Kind{
		what:    "private key",
		limit:   maxPrivateKey,
		longest: fmt.Sprintf("a private key of %d bytes", maxPrivateKey),
		decode:  decodePrivateKey,
		absent:  "write it", command: "cat",
	}
)

// A key has from Min to Max bytes, as keepalived's have, and a password up to
// MaxPassword.
const (
	Min         = 32
	Max         = 64
	MaxPassword = 1024
)

// maxPrivateKey is more than an RSA key of 16,384 bits has in PEM, in bytes.
const maxPrivateKey = 16 << 10

// hexadecimal begins a key that is written in hexadecimal digits, as keepalived has it.
const hexadecimal = "hex:"

// howTo is how a file with a secret is made.
func (k Kind) howTo(path string) string {
	return fmt.Sprintf("as root: umask 077; %[3]s > %[1]s; chown root:%[2]s %[1]s; chmod 0640 %[1]s", path, Service, k.command)
}

// decodeKey returns the bytes of a key.
func decodeKey(text string) (string, error) {
	key := text
	digits, isHex := strings.CutPrefix(text, hexadecimal)
	if isHex {
		bytes, err := hex.DecodeString(digits)
		if err != nil {
			return "", fmt.Errorf("has something else than pairs of hexadecimal digits after %q", hexadecimal)
		}
		key = string(bytes)
	}
	switch {
	case !isHex && strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' }):
		return "", fmt.Errorf("has bytes that are not printable: write %q and the key in hexadecimal digits", hexadecimal)
	case len(key) < Min:
		return "", fmt.Errorf("has a key of %d bytes, and it needs %d at least: replace it on all directors (echo hex:$(openssl rand -hex 32))", len(key), Min)
	case len(key) > Max:
		return "", fmt.Errorf("has a key of %d bytes, and it may have %d at most", len(key), Max)
	}
	return key, nil
}

// decodePassword returns a password. One with a line break could end a line of a
// protocol and begin another one.
func decodePassword(text string) (string, error) {
	switch {
	case text == "":
		return "", errors.New("is empty: write the password into it, on one line")
	case !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return "", errors.New("has control characters, more than one line, or something else than UTF-8: write the password alone, on one line")
	}
	return text, nil
}

// decodePrivateKey returns a private key in PEM. Whether it is the one of a certificate is
// found out by who has both.
func decodePrivateKey(text string) (string, error) {
	for rest := []byte(text); ; {
		block, after := pem.Decode(rest)
		switch {
		case block == nil:
			return "", errors.New("has no private key in PEM (-----BEGIN PRIVATE KEY-----)")
		case block.Type == "ENCRYPTED PRIVATE KEY" || block.Headers["DEK-Info"] != "":
			return "", errors.New("has a private key that needs a password: take that off (openssl pkey)")
		case strings.HasSuffix(block.Type, "PRIVATE KEY"):
			return text, nil
		}
		rest = after
	}
}
