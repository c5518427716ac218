package state

import (
	"os"
	"strings"
	"testing"
)

func TestWhatWasSignedOutlivesTheProcess(t *testing.T) {
	s := open(t, newDir(t))
	if got, err := s.Signed(); got != 0 || err != nil {
		t.Errorf("before the first: %d, error %v", got, err)
	}
	for _, want := range []uint64{1 << 63, 7712642197258854401} {
		must(t, s.SaveSigned(want))
		if got, err := s.Signed(); got != want || err != nil {
			t.Errorf("%d, error %v; want %d", got, err, want)
		}
	}
	if text, _ := os.ReadFile(s.path(signedName)); string(text) != "{\n\t\"version\": 1,\n\t\"sequence\": 7712642197258854401\n}\n" {
		t.Errorf("the file is %s", text)
	}
}

func TestWhatWasSignedThatCannotBeReadIsPutAside(t *testing.T) {
	for _, text := range []string{"{", `{"version":2,"sequence":1}`, "[]", `{"version":1,"sequence":-1}`, `{"version":1,"sequence":1e99}`} {
		s := open(t, newDir(t))
		must(t, os.WriteFile(s.path(signedName), []byte(text), 0o600))
		if got, err := s.Signed(); got != 0 || err == nil || !strings.Contains(err.Error(), "signed.json.unreadable") {
			t.Errorf("%s: %d, error %v", text, got, err)
		}
		if got, err := s.Signed(); got != 0 || err != nil {
			t.Errorf("%s, afterwards: %d, error %v", text, got, err)
		}
	}
}
