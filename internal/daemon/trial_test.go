package daemon

import (
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/director"
	"github.com/lvsd/lvsd/internal/reader"
	"github.com/lvsd/lvsd/internal/state"
)

// tried is a trial of the file at path, whose former text is kept.
func tried(t *testing.T) (tr *trial, dir, path string) {
	t.Helper()
	dir, path = filepath.Join(t.TempDir(), "state"), write(t, "new")
	store, err := state.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	if err := saveConfiguration(store, director.SaveConfiguration{At: time.Now(), Digest: "old", Files: []api.File{{Name: path, Text: "old"}}}); err != nil {
		t.Fatal(err)
	}
	return newTrial(slog.New(slog.DiscardHandler), store, path), dir, path
}

// reads is the text that a reading would have; empty: that of the files.
func reads(tr *trial) (text, warning string) {
	var q reader.Query
	warning = tr.pick(&q)
	if len(q.Read) > 0 {
		text = string(q.Read[0].Text)
	}
	return text, warning
}

func TestATrial(t *testing.T) {
	tr, dir, path := tried(t)
	reloads := make(chan struct{}, 10)
	tr.follow(func() { reloads <- struct{}{} })
	if err := tr.Begin(api.User{}, "unknown", time.Hour, nil); err == nil || !strings.Contains(err.Error(), "is not kept") {
		t.Errorf("without a way back: %v", err)
	}
	if err := tr.Begin(api.User{Name: "root"}, "old", time.Hour, nil); err != nil {
		t.Fatal(err)
	}
	if err := tr.Begin(api.User{}, "old", time.Hour, nil); err == nil || !strings.Contains(err.Error(), "is on trial until") {
		t.Errorf("a second one: %v", err)
	}
	if text, warning := reads(tr); text != "" || warning != "" || tr.Status().Over || tr.Status().By.Name != "root" {
		t.Errorf("while it lasts, %q is read, %q, %+v", text, warning, tr.Status())
	}
	if err := tr.End(api.User{}); err != nil || tr.Status() != nil {
		t.Errorf("confirmed: %v, %+v", err, tr.Status())
	}
	if err := tr.Begin(api.User{}, "old", 20*time.Millisecond, nil); err != nil {
		t.Fatal(err)
	}
	<-reloads     // It comes by itself, and an hour has not passed.
	for range 2 { // at each reload
		if text, warning := reads(tr); text != "old" || !strings.Contains(warning, "were not confirmed in time") || !tr.Status().Over {
			t.Errorf("after its end, %q is read, %q, %+v", text, warning, tr.Status())
		}
	}
	// So it is at a start, which has not opened the directory yet.
	var q reader.Query
	var log strings.Builder
	pickFirst(Options{StateDir: dir, Config: path, Log: &Log{Logger: slog.New(slog.NewTextHandler(&log, nil))}}, &q)
	if len(q.Read) != 1 || string(q.Read[0].Text) != "old" || q.Read[0].Name != path || !strings.Contains(log.String(), "configuration-unconfirmed") {
		t.Errorf("a start reads %+v, %s", q.Read, log.String())
	}
	again := newTrial(slog.New(slog.DiscardHandler), tr.store, path)
	again.follow(func() { t.Error("it was over") })
	if err := again.Begin(api.User{}, "old", time.Hour, nil); err != nil {
		t.Errorf("another one after its end: %v", err)
	}
	if err := again.End(api.User{}); err != nil {
		t.Error(err)
	}
}

// "It did not wait for the five minutes: half of the servers were out."
func TestATrialThatFailsEndsAtOnce(t *testing.T) {
	tr, dir, path := tried(t)
	reloads := make(chan struct{}, 10)
	tr.follow(func() { reloads <- struct{}{} })
	tr.Fail("nothing is on trial")
	stake := &director.Stake{Servers: map[string]map[string]bool{"web": {"192.168.1.4:80": true}}, Spare: 2}
	if err := tr.Begin(api.User{}, "old", time.Hour, stake); err != nil {
		t.Fatal(err)
	}
	// What must not be lost is known to the next process, too.
	peek, err := state.Peek(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer peek.Close()
	if got := newTrial(slog.New(slog.DiscardHandler), peek, path).Stake(); !reflect.DeepEqual(got, stake) {
		t.Errorf("after a restart the stake is %+v", got)
	}
	tr.Fail("three are down")
	<-reloads // An hour has not passed.
	tr.Fail("four are down")
	for _, tr := range []*trial{tr, newTrial(slog.New(slog.DiscardHandler), peek, path)} {
		text, warning := reads(tr)
		if s := tr.Status(); text != "old" || !strings.Contains(warning, "served less than those before (three are down)") || !s.Over || s.Lost != "three are down" || tr.Stake() != nil {
			t.Errorf("%q is read, %q, %+v", text, warning, s)
		}
	}
}

// Whoever puts the files back by hand has nothing left to do.
func TestFilesThatAreAsBeforeEndATrial(t *testing.T) {
	tr, dir, path := tried(t)
	over := make(chan struct{})
	tr.follow(func() { close(over) })
	if err := tr.Begin(api.User{}, "old", time.Millisecond, nil); err != nil {
		t.Fatal(err)
	}
	<-over
	if text, _ := reads(tr); text != "old" {
		t.Errorf("%q is read", text)
	}
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	if text, warning := reads(tr); text != "" || warning != "" || tr.Status() != nil {
		t.Errorf("the files are as before, and %q is read, %q, %+v", text, warning, tr.Status())
	}
	var q reader.Query
	pickFirst(Options{StateDir: dir, Config: path}, &q)
	if q.Read != nil {
		t.Errorf("a start reads %+v", q.Read)
	}
}
