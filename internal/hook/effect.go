package hook

import (
	"github.com/lvsd/lvsd/internal/event"
	"github.com/lvsd/lvsd/internal/spawn"
)

// An Effect is something that the core wants done: one of these types.
type Effect any

type (
	// Start runs a program. It ends with a call of Ended with that number.
	Start struct {
		ID      uint64
		Command spawn.Command
	}
	// Tell reports an event.
	Tell struct{ event.Event }
)
