package daemon

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lvsd/lvsd/vrrp"
)

// A fakeDisk has what was saved, in seconds.
type fakeDisk struct {
	has   uint64
	saved []int
	hangs chan struct{}
	err   error
}

func (d *fakeDisk) Signed() (uint64, error) { return d.has, d.err }

func (d *fakeDisk) SaveSigned(s uint64) error {
	if d.hangs != nil {
		<-d.hangs
	}
	d.saved = append(d.saved, int(s>>32))
	return d.err
}

func TestWhatIsSavedIsNeverBehindWhatWasSigned(t *testing.T) {
	second := func(n int) vrrp.Sequence { return vrrp.Sequence(n) << 32 }
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		disk := &fakeDisk{has: 1000 << 32}
		f := &signedFile{log: slog.New(slog.NewTextHandler(&log, nil)), store: disk}
		step := func(what string, want ...int) {
			t.Helper()
			if synctest.Wait(); !slices.Equal(disk.saved, want) {
				t.Fatalf("%s: saved %v, want %v", what, disk.saved, want)
			}
			disk.saved = nil
		}
		if got := f.load(); got != second(1000) {
			t.Fatalf("loaded %#x", got)
		}
		f.note(second(1000))
		step("where nothing more is signed, nothing is saved")
		f.note(second(1001))
		step("the first that is signed", 1061)
		for s := 1002; s < 1041; s++ {
			f.note(second(s))
		}
		step("in the next 40 s nothing")
		f.note(second(1041))
		step("then again", 1101)

		disk.hangs, disk.err = make(chan struct{}), errors.New("no space left")
		f.note(second(1090))
		f.note(second(1091)) // It waits for nobody.
		disk.hangs <- struct{}{}
		step("the disk hangs, and fails", 1150)
		disk.hangs = nil
		f.note(second(1140))
		step("it fails again", 1200)
		if got := strings.Count(log.String(), "signed-unsaved"); got != 1 || !strings.Contains(log.String(), "no space left") {
			t.Errorf("told %d times: %s", got, &log)
		}
		f.end(second(1145))
		step("the last one is exact", 1145)

		disk.hangs = make(chan struct{})
		begin := time.Now()
		f.end(second(1146))
		if got := time.Since(begin); got != signedWithin {
			t.Errorf("the end waited %s for a disk that hangs", got)
		}
		disk.hangs <- struct{}{}
		step("afterwards it is saved all the same", 1146)
	})
}

func TestWhatCannotBeReadIsToldAndTheClockDecides(t *testing.T) {
	var log strings.Builder
	f := &signedFile{log: slog.New(slog.NewTextHandler(&log, nil)), store: &fakeDisk{err: fmt.Errorf("put aside")}}
	if got := f.load(); got != 0 || !strings.Contains(log.String(), "signed-unreadable") {
		t.Errorf("%#x: %s", got, &log)
	}
	f.end(0)
}
