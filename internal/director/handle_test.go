package director

import (
	"testing"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/ipvsctl"
)

// Who is held in is silent. One that begins to refuse while it is down is held in no longer,
// and the table is planned anew for that, but only where somebody is held in.
func TestTheTableIsPlannedAnewForWhoIsHeldInNoLonger(t *testing.T) {
	panicking, isolated := Hold{By: api.ByPanic}, Hold{By: api.ByIsolation}
	for _, tt := range []struct {
		name     string
		panic    Hold
		isolates Hold
		result   rune // of a server that was silent until it was down
		outdated bool
		shifts   uint64
	}{
		{"it is silent as before, and nobody is held in", Hold{}, Hold{}, 's', false, 0},
		{"it refuses, and nobody is held in", Hold{}, Hold{}, 'r', false, 1},
		{"it is silent as before in a panic", panicking, Hold{}, 's', false, 0},
		{"it refuses in a panic", panicking, Hold{}, 'r', true, 1},
		{"it is silent as before, and this director is cut off", Hold{}, isolated, 's', false, 0},
		{"it refuses, and this director seemed to be cut off", Hold{}, isolated, 'r', true, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := tellOf(t, farm(2, false, nil))
			s.play([]rounds{{"pp", 2, "1 2"}, {"sp", 3, "2"}})
			c := s.core
			if tt.panic.By != "" {
				c.panics = map[ipvsctl.ServiceKey]Hold{c.config.Services[0].Key: tt.panic}
			}
			c.isolation, c.outdated = tt.isolates, false
			before := c.healths.shifts
			c.observe(s.now, Probed{{c.config.Services[0].Servers[0].Checks[0].Target, probes[tt.result]}})
			if shifts := c.healths.shifts - before; c.outdated != tt.outdated || shifts != tt.shifts {
				t.Errorf("outdated: %v, and %d shifts; want %v and %d", c.outdated, shifts, tt.outdated, tt.shifts)
			}
		})
	}
}
