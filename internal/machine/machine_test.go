package machine

import (
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestReadFindsTheLoopbackInterface(t *testing.T) {
	f, err := Read()
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(f.Names(), "lo") {
		t.Errorf("interfaces %q, want lo among them", f.Names())
	}
	if want := netip.MustParsePrefix("127.0.0.1/8"); !slices.Contains(f.Addresses, want) {
		t.Errorf("addresses %v, want %v among them", f.Addresses, want)
	}
}

func TestASettingIsOnUnlessItIsZeroOrMissing(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"one": "1\n", "two": "2\n", "zero": "0\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]bool{"one": true, "two": true, "zero": false, "missing": false} {
		if got := enabled(filepath.Join(dir, name)); got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
}

func TestTheNodeNameIsTheHostNameUpToItsFirstDot(t *testing.T) {
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	node, err := NodeName()
	if err != nil || node == "" || strings.Contains(node, ".") || !strings.HasPrefix(host, node) {
		t.Errorf("node name %q of host %q: %v", node, host, err)
	}
}
