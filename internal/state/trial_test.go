package state

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// A trial is there until it is ended, also when its time is over, and a clock that is set
// makes it neither shorter nor longer.
func TestATrialOutlivesTheProcess(t *testing.T) {
	s := open(t, newDir(t))
	if is, err := s.Trial(); is != nil || err != nil {
		t.Errorf("before there is one: %+v, %v", is, err)
	}
	before := saved(7)
	must(t, s.SaveTrial(&Trial{User: "root", Since: time.Now(), Until: time.Now().Add(5 * time.Minute), Before: before}))
	is, err := s.Trial()
	if err != nil || is == nil || !cmp.Equal(is.Before, before) || is.User != "root" || time.Until(is.Until) > 5*time.Minute || time.Until(is.Until) < 4*time.Minute {
		t.Errorf("the trial is %+v, %v", is, err)
	}
	must(t, s.SaveTrial(&Trial{Since: time.Now(), Until: time.Now().Add(-time.Second), Before: before}))
	if is, err := s.Trial(); err != nil || is == nil || time.Until(is.Until) > 0 {
		t.Errorf("over, it is %+v, %v", is, err)
	}
	must(t, s.SaveTrial(nil))
	must(t, s.SaveTrial(nil))
	if is, err := s.Trial(); is != nil || err != nil {
		t.Errorf("ended, it is %+v, %v", is, err)
	}
}

func TestTheTimeOfATrial(t *testing.T) {
	start := time.Date(2026, 11, 28, 4, 0, 0, 0, time.UTC)
	f := trialFile{Version: 1, Boot: "a", Since: start, Until: start.Add(5 * time.Minute), Boottime: time.Hour + 5*time.Minute, Before: saved(1)}
	for _, tt := range []struct {
		name string
		m    moment
		left time.Duration
	}{
		{"two minutes later", moment{start.Add(2 * time.Minute), "a", time.Hour + 2*time.Minute}, 3 * time.Minute},
		{"the clock was set ahead", moment{start.Add(24 * time.Hour), "a", time.Hour + 2*time.Minute}, 3 * time.Minute},
		{"the clock was set back", moment{start.Add(-24 * time.Hour), "a", time.Hour + 6*time.Minute}, -time.Minute},
		{"after another boot", moment{start.Add(4 * time.Minute), "b", time.Second}, time.Minute},
		{"after another boot, whose clock is in the past", moment{start.Add(-24 * time.Hour), "b", time.Second}, 5 * time.Minute},
	} {
		if got := f.read(tt.m).Until.Sub(tt.m.now); got != tt.left {
			t.Errorf("%s: %v are left, want %v", tt.name, got, tt.left)
		}
	}
}

func TestATrialWithoutAWayBackIsPutAside(t *testing.T) {
	dir := newDir(t)
	s := open(t, dir)
	for _, text := range []string{`{"version":1}`, `{"version":2}`, `x`} {
		must(t, os.WriteFile(filepath.Join(dir, trialName), []byte(text), 0o600))
		if is, err := s.Trial(); is != nil || err == nil {
			t.Errorf("%s: %+v, %v", text, is, err)
		}
		if is, err := s.Trial(); is != nil || err != nil {
			t.Errorf("%s, put aside: %+v, %v", text, is, err)
		}
	}
}
