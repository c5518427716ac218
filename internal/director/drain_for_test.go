package director

import (
	"testing"
	"time"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
)

// TestAServerThatFailsIsDrainedForItsTime, and has no row after that.
func TestAServerThatFailsIsDrainedForItsTime(t *testing.T) {
	server := &farm(1, false, nil).Services[0].Servers[0]
	server.DrainOnFailure, server.DrainFor = true, 5*time.Minute
	down, end := Standing{State: checker.Down, Since: start}, start.Add(5*time.Minute)
	keptOut, recovered := down, Standing{State: checker.Up, Since: start, KeptOut: true}
	keptOut.KeptOut = true
	for _, tt := range []struct {
		name     string
		standing Standing
		after    time.Duration
		want     Weight
	}{
		{"it has just failed", down, 0, Weight{Listed: true, By: api.ByOnFailure, Until: end}},
		{"its time is nearly over", down, 5*time.Minute - 1, Weight{Listed: true, By: api.ByOnFailure, Until: end}},
		{"its time is over", down, 5 * time.Minute, Weight{}},
		{"it is kept out meanwhile", keptOut, time.Minute, Weight{Listed: true, By: api.ByManualResume, Until: end}},
		{"it is kept out after that", keptOut, time.Hour, Weight{By: api.ByManualResume}},
		{"it is kept out, and its checks pass", recovered, time.Minute, Weight{By: api.ByManualResume}},
	} {
		if w := weigh(start.Add(tt.after), server, config.Policy{}, tt.standing, nil); w != tt.want {
			t.Errorf("%s: %+v, want %+v", tt.name, w, tt.want)
		}
	}
}
