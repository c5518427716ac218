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
		key, err := read("/key", strings.NewReader(text))
		if err == nil && (len(key) < Min || len(key) > Max) || err != nil && key != "" {
			t.Fatalf("%q: %q, %v", text, key, err)
		}
		if secret := strings.TrimRight(text, "\r\n"); err != nil && len(secret) >= 8 && strings.Contains(err.Error(), secret) {
			t.Fatalf("%q is in %v", text, err)
		}
	})
}
