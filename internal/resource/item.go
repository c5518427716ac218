package resource

import (
	"fmt"
	"time"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
)

// A state is what is known of a resource.
type state uint8

const (
	unknown  state = iota // it has to be looked at
	doubtful              // looking tells nothing: it is started or stopped, whatever it is
	stopped
	running
	stuck // it could not be stopped
)

// An item is one resource.
type item struct {
	config.Resource
	state state
	since time.Time
	// failure is what went wrong last, if it has not been put right since.
	failure        string
	runs, failures uint64 // to start or to stop it
}

// looks reports whether it can be known whether the resource runs.
func (i *item) looks() bool { return len(i.Status) > 0 || i.Directory != "" }

// first is what has to be done first to start or to stop it.
func (i *item) first(then Action) Action {
	if i.state == unknown && i.looks() {
		return Look
	}
	return then
}

// take takes what came of something that was done about it.
func (i *item) take(now time.Time, did Action, r Result) {
	was := i.state
	switch {
	case did == Look && !r.OK:
		i.state = doubtful
	case did == Look && r.Runs, did == Start && r.OK:
		i.state = running
	case did == Look, did == Stop && r.OK:
		i.state = stopped
	case did == Stop:
		i.state = stuck
	case i.Directory != "":
		i.state = unknown // The kernel knows whether it is mounted after all.
	default:
		i.state = doubtful // It may have been started in part.
	}
	if i.state != was {
		i.since = now
	}
	if did != Look {
		i.runs++
	}
	switch {
	case did != Look && !r.OK:
		i.failure = r.Text
		i.failures++
	case i.state == running || i.state == stopped && did == Stop:
		i.failure = ""
	}
}

// status is how it is, with what is done about it now.
func (i *item) status(does Action) api.Resource {
	s := api.Resource{Kind: i.Kind, Name: i.Name, State: api.ResourceUnknown, Since: i.since, Runs: i.runs, Failures: i.failures, Failure: i.failure}
	switch {
	case does == Start:
		s.State = api.ResourceStarting
	case does == Stop:
		s.State = api.ResourceStopping
	case i.state == running:
		s.State = api.ResourceRunning
	case i.state == stopped:
		s.State = api.ResourceStopped
	case i.state == stuck:
		s.State = api.ResourceStuck
	}
	return s
}

func (i *item) String() string { return fmt.Sprintf("resource %q %q", i.Kind, i.Name) }
