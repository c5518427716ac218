package hook

import (
	"time"

	"github.com/lvsd/lvsd/internal/api"
)

// An order is one to run hooks again in the state that there is.
type order struct {
	asker func(api.Ordered)
	runs  []*api.Asserted
	until time.Time // when it is answered although some have not ended
}

// patience is how long an order waits for its hooks. It is less than a client waits.
const patience = 20 * time.Minute

// conclude answers the order when its hooks have ended, or its time is over; waits reports
// whether one is still to be run. Nil: it has not ended.
func (o *order) conclude(now time.Time, waits func(*api.Asserted) bool) []Effect {
	outcome := api.Ordered{OK: true}
	for _, a := range o.runs {
		run := *a
		if waits(a) {
			if now.Before(o.until) {
				return nil
			}
			run.Outcome = api.AssertedUnknown
		}
		outcome.Hooks = append(outcome.Hooks, run)
		if run.Outcome != api.AssertedRun || !run.OK {
			outcome.OK, outcome.Error = false, "not all hooks have succeeded"
		}
	}
	return []Effect{Conclude{o.asker, complete(outcome)}}
}

// complete is an outcome as programs read it, with lists that are empty.
func complete(o api.Ordered) api.Ordered {
	o.Routers, o.Ended, o.Warnings = []api.Move{}, []string{}, []string{}
	return o
}
