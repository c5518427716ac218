package daemon

import (
	"runtime/debug"
	"testing"
	"testing/synctest"
	"time"
)

// A state of the service manager that is not recognised once kept what reloads
// had replaced in memory for minutes.
func TestTheCollectorSavesMemoryAtRestAndTimeDuringAReload(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(collectorBusy))
	synctest.Test(t, func(t *testing.T) {
		var c collector
		for _, s := range []struct {
			state string
			lasts time.Duration
			want  int
		}{
			{"READY=1", restAfter - 1, collectorBusy},
			{"STATUS=Serving 3 of 3 services", 1, collectorRest},
			{"RELOADING=1", time.Minute, collectorBusy},
			{"STATUS=Serving 3 of 3 services", 0, collectorBusy},
			{"READY=1", restAfter - 1, collectorBusy},
			{"RELOADING=1", time.Minute, collectorBusy}, // one reload after the other
			{"READY=1", restAfter, collectorRest},
			{"STOPPING=1", 0, collectorRest},
		} {
			c.follow(s.state)
			time.Sleep(s.lasts)
			synctest.Wait()
			now := debug.SetGCPercent(collectorBusy)
			if debug.SetGCPercent(now); now != s.want {
				t.Errorf("%v after %s the collector runs at %d %%, want %d", s.lasts, s.state, now, s.want)
			}
		}
	})
}
