package director

import (
	"testing"
	"time"
	"unsafe"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/machine"
	"github.com/lvsd/lvsd/ipvsctl"
	"github.com/lvsd/lvsd/vrrp"
)

// set is a moment by a clock that was set meanwhile: its wall clock shows another
// time, and its monotonic clock the same.
func set(t *testing.T, now time.Time, by time.Duration) time.Time {
	t.Helper()
	at := now
	// Time.wall has the seconds from its 30th bit on where there is a monotonic clock.
	*(*uint64)(unsafe.Pointer(&at)) += uint64(by/time.Second) << 30
	if at.Sub(now) != 0 || at.Round(0).Sub(now.Round(0)) != by {
		t.Fatalf("package time keeps its times in another way: %v, %v", at, now)
	}
	return at
}

// The clock is set by hours, as after a start without a battery; nothing has taken
// hours for that.
func TestSettingTheClockChangesNoDuration(t *testing.T) {
	for _, by := range []time.Duration{6 * time.Hour, -2 * time.Hour, 0} {
		began := time.Now()
		config := clusterOf(checked(tcpTarget))
		core, _ := Begin(began, "/etc/lvsd", Loaded{Config: config, Found: ipvsctl.Table{}}, machine.Facts{})
		at := func(d time.Duration) time.Time { return set(t, began.Add(d), by) }
		core.Handle(began.Add(time.Second), Probed{{tcpTarget, checker.Result{At: began, Outcome: checker.Passed}}})
		core.Handle(began.Add(2*time.Second), RoutersSeen{{Name: "outside", State: vrrp.Master, Since: began.Add(2 * time.Second)}})
		now := at(time.Minute)
		s := core.Status(now, Edges{Table: ipvsctl.Snapshot{Stats: ipvsctl.Stats{Audited: began.Add(50 * time.Second)}}})
		for what, d := range map[string][2]time.Duration{
			"running for":          {s.Time.Round(0).Sub(s.Started), time.Minute},
			"checked":              {s.Time.Round(0).Sub(s.Services[0].Servers[0].Checks[0].Last.At), time.Minute},
			"server up for":        {s.Time.Round(0).Sub(s.Services[0].Servers[0].Since), 59 * time.Second},
			"Master for":           {s.Time.Round(0).Sub(s.Routers[0].Since), 58 * time.Second},
			"table compared":       {s.Time.Round(0).Sub(s.Table.Audited), 10 * time.Second},
			"configuration loaded": {s.Time.Round(0).Sub(s.Reload.Applied), time.Minute},
		} {
			if d[0] != d[1] {
				t.Errorf("clock set by %v: %s %v, want %v", by, what, d[0], d[1])
			}
		}
		if again := core.Status(now.Add(time.Second+time.Millisecond), Edges{}); !again.Started.Equal(s.Started) {
			t.Errorf("it was started at %v, and then at %v", s.Started, again.Started)
		}
	}
}
