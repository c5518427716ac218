package state

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestAStandbyOutlivesTheProcess(t *testing.T) {
	s := open(t, newDir(t))
	if got, err := s.Standby(); got != nil || err != nil {
		t.Errorf("before the first: %+v, error %v", got, err)
	}
	must(t, s.SaveStandby(nil)) // There is none to remove.
	now := time.Now()
	must(t, s.SaveStandby(&Standby{User: "alice", UID: 1000, Since: now, Until: now.Add(time.Hour)}))
	got, err := s.Standby()
	if err != nil || got == nil || got.User != "alice" || got.UID != 1000 || !got.Since.Equal(now.Round(0)) || got.Until.Sub(now.Add(time.Hour)).Abs() > time.Minute {
		t.Errorf("%+v, error %v", got, err)
	}
	must(t, s.SaveStandby(nil))
	if got, err := s.Standby(); got != nil || err != nil {
		t.Errorf("after it was removed: %+v, error %v", got, err)
	}
}

func TestWhenAStandbyOfAnEarlierProcessEnds(t *testing.T) {
	noon := time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	saved := moment{noon, "this boot", 100 * time.Hour}
	for _, tt := range []struct {
		name  string
		lasts time.Duration // zero: until it is resumed
		now   moment
		want  time.Duration // that is left; negative: it is over
	}{
		{"lvsd is restarted", 2 * time.Hour, moment{noon.Add(time.Hour), "this boot", 101 * time.Hour}, time.Hour},
		{"it ended meanwhile", 2 * time.Hour, moment{noon.Add(3 * time.Hour), "this boot", 103 * time.Hour}, -1},
		{"the clock was set forward meanwhile", 2 * time.Hour, moment{noon.Add(1000 * time.Hour), "this boot", 101 * time.Hour}, time.Hour},
		{"the clock was set back meanwhile", 2 * time.Hour, moment{noon.Add(-1000 * time.Hour), "this boot", 103 * time.Hour}, -1},
		{"the machine was restarted", 2 * time.Hour, moment{noon.Add(time.Hour), "another", time.Minute}, time.Hour},
		{"it ended while the machine was off", 2 * time.Hour, moment{noon.Add(5 * time.Hour), "another", time.Minute}, -1},
		{"the machine has lost its clock: no longer than was ordered", 2 * time.Hour, moment{time.Unix(0, 0), "another", time.Minute}, 2 * time.Hour},
		{"without an end it does not end", 0, moment{noon.Add(10000 * time.Hour), "another", time.Minute}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := Standby{UID: 7, Since: noon}
			if tt.lasts > 0 {
				s.Until = noon.Add(tt.lasts)
			}
			f := s.written(saved)
			got := f.read(tt.now)
			var want *Standby
			switch {
			case tt.want == 0:
				want = &s
			case tt.want > 0:
				want = &Standby{UID: 7, Since: noon, Until: tt.now.now.Add(tt.want)}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestAStandbyThatCannotBeReadIsPutAside(t *testing.T) {
	for _, text := range []string{"{", `{"version":2}`, "[]", `{"version":1,"until":"tomorrow"}`} {
		s := open(t, newDir(t))
		must(t, os.WriteFile(s.path(standbyName), []byte(text), 0o600))
		if got, err := s.Standby(); got != nil || err == nil || !strings.Contains(err.Error(), "standby.json.unreadable") {
			t.Errorf("%s: %+v, error %v", text, got, err)
		}
		if got, err := s.Standby(); got != nil || err != nil {
			t.Errorf("%s, afterwards: %+v, error %v", text, got, err)
		}
	}
}
