package daemon

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/reader"
	"github.com/lvsd/lvsd/vrrp"
)

const (
	oneKey     = "lvsd-test-key-of-thirty-two-byte"
	anotherKey = "another key that has 32 bytes: 1"
)

// keyed is a configuration with one key, and what reads it. The key is not there yet.
func keyed(t *testing.T) (o Options, key string) {
	t.Helper()
	dir := t.TempDir()
	key = filepath.Join(dir, "vrrp.key")
	text := fmt.Sprintf(`virtual_router "outside" {
  interface = "eth0"
  id        = 51
  addresses = ["10.13.0.200/24"]
  authentication {
    key "1" { file = %q }
  }
}
`, key)
	path := filepath.Join(dir, "lvsd.hcl")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return Options{Config: path, Node: "lvs1"}, key
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// A key is no part of the configuration, so neither its text nor its digest changes
// with it; a reload takes the new one all the same.
func TestAReloadTakesAKeyThatHasChanged(t *testing.T) {
	o, key := keyed(t)
	r := reader.New([]string{"/proc/self/exe", ReadCommand}, reader.Limits{})
	running := &config.Config{}
	step := func(what, text string, changed bool) {
		t.Helper()
		if text != "" {
			put(t, key, text)
		}
		l := reload(t.Context(), o, r, running, unpicked)
		if l.Err != nil || (l.Config != nil) != changed {
			t.Fatalf("%s: %+v, want a change %t", what, l, changed)
		}
		if l.Config == nil {
			return
		}
		if running.Digest != "" && l.Config.Digest != running.Digest {
			t.Errorf("%s: the digest has changed", what)
		}
		running = l.Config
		if got := running.Routers[0].Authentication.Keys[0].Secret.Reveal(); got != text {
			t.Errorf("%s: the key is %q", what, got)
		}
	}
	step("the first one", oneKey, true)
	step("nothing has changed", "", false)
	step("another key", anotherKey, true)
	step("nothing has changed again", "", false)

	// What cannot be used is refused, and what runs goes on.
	for _, spoil := range []func() error{
		func() error { return os.WriteFile(key, []byte(oneKey[1:]), 0o600) },
		func() error { return errors.Join(os.WriteFile(key, []byte(oneKey), 0o600), os.Chmod(key, 0o644)) },
		func() error { return os.Remove(key) },
	} {
		if err := spoil(); err != nil {
			t.Fatal(err)
		}
		l := reload(t.Context(), o, r, running, unpicked)
		if l.Err == nil || !strings.Contains(l.Err.Error(), `key 1 of virtual router "outside": `) || !strings.Contains(l.Err.Error(), key) {
			t.Errorf("%v, want what is wrong with the key", l.Err)
		}
	}
}

// What validate and a start say of a key has its line.
func TestAKeyThatCannotBeUsedIsAMistakeWithItsLine(t *testing.T) {
	o, key := keyed(t)
	for _, tt := range []struct{ text, want string }{
		{"", "there is no key file"},
		{oneKey[1:], "has a key of 31 bytes"},
	} {
		if tt.text != "" {
			put(t, key, tt.text)
		}
		r, err := Validate(t.Context(), o, nil)
		if err != nil {
			t.Fatal(err)
		}
		var d strings.Builder
		_ = r.Diagnostics.Render(&d, 1000, false)
		if r.Err() == nil || !strings.Contains(strings.ToLower(d.String()), tt.want) || !strings.Contains(d.String(), "lvsd.hcl:6") || strings.Contains(d.String(), oneKey[1:]) {
			t.Errorf("%s, want %s", d.String(), tt.want)
		}
	}
	put(t, key, oneKey)
	if r, err := Validate(t.Context(), o, nil); err != nil || r.Err() != nil {
		t.Errorf("a good one: %v, %v", err, r.Diagnostics)
	}
}

// A file server that is gone holds up neither a start nor all reloads to come.
func TestKeysOnADiskThatDoesNotAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reading := make(chan struct{}, 1)
		hangs, tries := make(chan struct{}), atomic.Int32{}
		read := func() ([]vrrp.Config, error) {
			tries.Add(1)
			<-hangs
			return []vrrp.Config{{Name: "outside"}}, nil
		}
		for range 3 {
			begin := time.Now()
			if got, err := inTime(reading, read); got != nil || !errors.Is(err, errKeysLate) || time.Since(begin) != keysWithin {
				t.Errorf("after %s: %v, %v", time.Since(begin), got, err)
			}
		}
		if tries.Load() != 1 {
			t.Errorf("%d wait for the disk", tries.Load())
		}
		close(hangs)
		synctest.Wait()
		if got, err := inTime(reading, read); len(got) != 1 || err != nil {
			t.Errorf("when it answers: %v, %v", got, err)
		}
	})
}
