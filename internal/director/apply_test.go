package director

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lvsd/lvsd/internal/api"
)

// What ran is kept before anything is read, and a configuration that is refused is not on
// trial.
func TestApply(t *testing.T) {
	other := clusterOf()
	other.Digest, other.Director.StartDelay = "other", time.Minute
	for _, tt := range []struct {
		name    string
		confirm time.Duration
		load    Loaded
		trial   *fakeTrial
		ok      bool
		says    string
		asked   []string
	}{
		{"for good", 0, Loaded{Config: other}, &fakeTrial{}, true, "", []string{"end"}},
		{"on trial", time.Minute, Loaded{Config: other}, &fakeTrial{}, true, "", []string{"begin running 1m0s"}},
		{"on trial, and refused", time.Minute, Loaded{Err: errors.New("web.hcl:3: no")}, &fakeTrial{}, false, "web.hcl:3: no", []string{"begin running 1m0s", "end"}},
		{"on trial, and nothing has changed", time.Minute, Loaded{}, &fakeTrial{}, true, "", []string{"begin running 1m0s", "end"}},
		{"the way back cannot be kept", time.Minute, Loaded{Config: other}, &fakeTrial{err: errors.New("no space left")}, false, "no space left", []string{"begin running 1m0s"}},
		{"for a moment", time.Millisecond, Loaded{Config: other}, &fakeTrial{}, false, "is on trial for 1s to 24h0m0s", nil},
		{"for ever", 1 << 62, Loaded{Config: other}, &fakeTrial{}, false, "is on trial for 1s to 24h0m0s", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, c := newOutsides(), clusterOf()
				c.Digest = "running"
				f.loads = []Loaded{tt.load}
				d, stop, ended := beginWith(t, f, c, func(o *Options) { o.Trial = tt.trial })
				got, err := d.Apply(t.Context(), api.User{}, api.ApplyOrder{Confirm: tt.confirm})
				if err != nil || got.OK != tt.ok || !strings.Contains(got.Error, tt.says) || !slices.Equal(tt.trial.asked, tt.asked) {
					t.Errorf("%+v, %v, asked %q; want %t, %q, %q", got, err, tt.trial.asked, tt.ok, tt.says, tt.asked)
				}
				stop()
				<-ended
			})
		})
	}
}

func TestConfirm(t *testing.T) {
	until := time.Date(2026, 11, 28, 4, 30, 0, 0, time.UTC)
	for _, tt := range []struct {
		name, says, finding string
		status              *api.Trial
		ok                  bool
	}{
		{"in time", "", "configuration-on-trial", &api.Trial{Until: until}, true},
		{"too late", "it is too late: the time was over at 2026-11-28 04:30:00", "configuration-unconfirmed", &api.Trial{Until: until, Over: true}, false},
		{"nothing", "no configuration is on trial", "", nil, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			trial := &fakeTrial{status: tt.status}
			d, stop, ended := beginWith(t, newOutsides(), clusterOf(), func(o *Options) { o.Trial = trial })
			found := ""
			for _, finding := range statusOf(t, d).Findings {
				if strings.HasPrefix(finding.Code, "configuration-") {
					found += finding.Code
				}
			}
			got, err := d.Confirm(t.Context(), api.User{}, api.ConfirmOrder{})
			if err != nil || got.OK != tt.ok || got.Error != "" && !strings.HasPrefix(got.Error, tt.says) || slices.Contains(trial.asked, "end") != tt.ok || found != tt.finding {
				t.Errorf("%s: %+v, %v, asked %q, found %q", tt.name, got, err, trial.asked, found)
			}
			stop()
			<-ended
		})
	}
}
