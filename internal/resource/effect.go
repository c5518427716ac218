package resource

import (
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/event"
	"github.com/lvsd/lvsd/vrrp"
)

// An Action is what is done about a resource.
type Action string

// The actions.
const (
	Look  Action = "look" // whether it runs
	Start Action = "start"
	Stop  Action = "stop"
)

// An Effect is something that the core wants done: one of these types.
type Effect any

type (
	// Run does something about a resource. It ends with a call of Ended with that number.
	Run struct {
		ID       uint64
		Action   Action
		Resource config.Resource
	}
	// Answer answers the keeper's question.
	Answer struct{ vrrp.Answer }
	// Tell reports an event.
	Tell struct{ event.Event }
)

// A Result is what came of a Run.
type Result struct {
	// OK: it was started or stopped; or, of a look, it is known whether it Runs.
	OK, Runs bool
	// Text tells how it went.
	Text string
}
