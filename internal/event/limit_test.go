package event

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"
)

// A feed passes events through a Limit at moments, and collects what comes out.
type feed struct {
	limit Limit
	lines []string
}

func (f *feed) tell(now time.Time, e Event) {
	f.expire(now)
	if f.limit.Pass(now, e) {
		f.lines = append(f.lines, e.Code)
	}
}

func (f *feed) expire(now time.Time) {
	for _, e := range f.limit.Expire(now) {
		f.lines = append(f.lines, fmt.Sprint(e.Code, " ", e.Severity, " ", e.Attributes))
	}
}

// Attack 7: 20 forged packets a second were 40 lines a second, for ever.
func TestFlappingIsBounded(t *testing.T) {
	var f feed
	now := at
	for i := range 20 * 60 * 10 { // ten minutes
		now = now.Add(time.Second / 20)
		f.tell(now, Event{Code: "became-master", Text: fmt.Sprint("take-over ", i)})
		f.tell(now, Event{Code: "became-backup"})
	}
	if n := len(f.lines); n > 2*10*(perMinute+1) {
		t.Errorf("%d lines in ten minutes", n)
	}
}

func TestWhatIsLeftOutIsCounted(t *testing.T) {
	var f feed
	for i := range perMinute + 3 {
		severity := Info
		if i == perMinute+1 {
			severity = Error
		}
		f.tell(at, Event{Code: "reloaded", Severity: severity, Text: fmt.Sprint("reload ", i), Attributes: []slog.Attr{slog.Int("n", i)}})
	}
	f.tell(at.Add(time.Minute-1), Event{Code: "server-down"}) // Another code has its own minute.
	if want := perMinute + 1; len(f.lines) != want {
		t.Fatalf("%d lines within the minute, want %d", len(f.lines), want)
	}
	if got := f.limit.Deadline(); !got.Equal(at.Add(time.Minute)) {
		t.Errorf("deadline %s", got)
	}
	f.lines = nil
	f.expire(at.Add(time.Minute))
	want := "reloaded ERROR [left_out=3 last=reload 102 n=102]"
	if len(f.lines) != 1 || f.lines[0] != want {
		t.Errorf("counted as %q, want %q", f.lines, want)
	}
	if got := f.limit.Deadline(); !got.Equal(at.Add(2*time.Minute - 1)) {
		t.Errorf("then the deadline is %s", got)
	}
	f.lines = nil
	f.tell(at.Add(time.Minute), Event{Code: "reloaded"}) // A new minute.
	f.expire(at.Add(time.Hour))
	if got := strings.Join(f.lines, ", "); got != "reloaded" {
		t.Errorf("afterwards %q, want one line", got)
	}
	if got := f.limit.Deadline(); !got.IsZero() {
		t.Errorf("at rest the deadline is %s", got)
	}
}
