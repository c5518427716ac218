package daemon

import (
	"runtime/debug"
	"testing"
)

// A state of the service manager that is not recognised once kept what reloads
// had replaced in memory for minutes.
func TestTheCollectorSavesMemoryAtRestAndTimeDuringAReload(t *testing.T) {
	before := debug.SetGCPercent(collectorBusy)
	defer debug.SetGCPercent(before)
	for _, c := range []struct {
		state string
		want  int
	}{
		{"READY=1", collectorRest},
		{"STATUS=Serving 3 of 3 services", collectorRest},
		{"RELOADING=1", collectorBusy},
		{"STATUS=Serving 3 of 3 services", collectorBusy},
		{"READY=1", collectorRest},
		{"STOPPING=1", collectorRest},
	} {
		collect(c.state)
		now := debug.SetGCPercent(collectorBusy)
		if debug.SetGCPercent(now); now != c.want {
			t.Errorf("after %s the collector runs at %d %%, want %d", c.state, now, c.want)
		}
	}
}
