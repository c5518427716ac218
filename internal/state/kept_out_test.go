package state

import (
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestWhoIsKeptOutOutlivesTheProcess(t *testing.T) {
	dir := newDir(t)
	s := open(t, dir)
	if got, err := s.KeptOut(); got != nil || err != nil {
		t.Errorf("before the first: %+v, error %v", got, err)
	}
	must(t, s.SaveKeptOut(nil)) // There is nothing to remove.
	want := []KeptOut{{"web", netip.MustParseAddr("192.168.1.4"), 80, time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)}, {"dns", netip.MustParseAddr("2001:db8::4"), 53, time.Unix(1, 0).UTC()}}
	must(t, s.SaveKeptOut(want))
	got, err := s.KeptOut()
	if diff := cmp.Diff(want, got, cmpopts.EquateComparable(netip.Addr{})); diff != "" || err != nil {
		t.Errorf("error %v (-want +got):\n%s", err, diff)
	}
	must(t, s.SaveKeptOut(nil))
	if got, err := s.KeptOut(); got != nil || err != nil {
		t.Errorf("after the last was let in: %+v, error %v", got, err)
	}
	must(t, os.WriteFile(dir+"/"+keptOutName, []byte(`{"version":2}`), 0o600))
	if got, err := s.KeptOut(); got != nil || err == nil || !strings.Contains(err.Error(), "version 2") {
		t.Errorf("a later version: %+v, error %v", got, err)
	}
}
