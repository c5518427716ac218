package keyfile

import (
	"strings"
	"testing"
)

// Whatever is in a file: a key has from Min to Max bytes, and no error has any of them.
func FuzzKey(f *testing.F) {
	for _, text := range []string{good, good + "\r\n", "hex:" + strings.Repeat("0f", 32), "hex:", "", "\x00", strings.Repeat("x", 65), "hex:" + strings.Repeat("0", 129)} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		key, err := Key.read("/key", strings.NewReader(text))
		if err == nil && (len(key) < Min || len(key) > Max) || err != nil && key != "" {
			t.Fatalf("%q: %q, %v", text, key, err)
		}
		if secret := strings.TrimRight(text, "\r\n"); err != nil && len(secret) >= 8 && strings.Contains(err.Error(), secret) {
			t.Fatalf("%q is in %v", text, err)
		}
	})
}

// Whatever is in a file: a password is one line of text, and no error has any of it.
func FuzzPassword(f *testing.F) {
	for _, text := range []string{"secret", "secret\r\n", "", "\n", "a\nb", "\x00", "\xff", strings.Repeat("x", MaxPassword+1)} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		password, err := Password.read("/password", strings.NewReader(text))
		if err == nil && (password == "" || len(password) > MaxPassword || strings.ContainsAny(password, "\r\n\x00")) || err != nil && password != "" {
			t.Fatalf("%q: %q, %v", text, password, err)
		}
		if secret := strings.TrimRight(text, "\r\n"); err != nil && len(secret) >= 8 && strings.Contains(err.Error(), secret) {
			t.Fatalf("%q is in %v", text, err)
		}
	})
}
