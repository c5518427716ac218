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
		got := make(chan event.Event, 1000)
		sink := bounded(func(e event.Event) { got <- e })
		for range 1000 {
			sink(event.Event{Code: "configuration-unchanged"})
		}
		passed := len(got)
		for range passed {
			<-got
		}
		time.Sleep(2 * time.Minute) // Nothing else happens, and the count is told all the same.
		synctest.Wait()
		if passed > 100 || len(got) != 1 {
			t.Fatalf("%d events passed, and %d counts", passed, len(got))
		}
		if n := (<-got).Attributes[0].Value.Int64(); int(n) != 1000-passed {
			t.Errorf("%d passed and %d were left out, of 1,000", passed, n)
		}
	})
}
