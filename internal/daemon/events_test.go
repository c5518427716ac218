package daemon

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/lvsd/lvsd/internal/event"
)

// SIGHUP in a loop wrote 6,462 lines in five seconds.
func TestAStormOfEventsIsBoundedAndCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []event.Event
		sink := bounded(func(e event.Event) { got = append(got, e) })
		for range 1000 {
			sink(event.Event{Code: "configuration-unchanged"})
		}
		passed := len(got)
		time.Sleep(2 * time.Minute) // Nothing else happens, and the count is told all the same.
		synctest.Wait()
		if passed > 100 || len(got) != passed+1 {
			t.Fatalf("%d events passed, and %d counts", passed, len(got)-passed)
		}
		if n := got[passed].Attributes[0].Value.Int64(); int(n) != 1000-passed {
			t.Errorf("%d passed and %d were left out, of 1,000", passed, n)
		}
	})
}
