package daemon

import (
	"sync"
	"time"

	"github.com/lvsd/lvsd/internal/event"
)

// bounded returns a sink that passes on a bounded number of events of each code,
// and later how many it has left out.
func bounded(to event.Sink) event.Sink {
	var mu sync.Mutex
	var limit event.Limit
	var timer *time.Timer
	// turn tells what was left out of the minutes that are over, and then takes
	// an event, if there is one.
	turn := func(e *event.Event) {
		mu.Lock()
		defer mu.Unlock()
		now := time.Now()
		for _, count := range limit.Expire(now) {
			to(count)
		}
		if e != nil && limit.Pass(now, *e) {
			to(*e)
		}
		if at := limit.Deadline(); !at.IsZero() {
			timer.Reset(at.Sub(now))
		}
	}
	timer = time.AfterFunc(time.Hour, func() { turn(nil) })
	return func(e event.Event) { turn(&e) }
}
