package hook

import (
	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/event"
	"github.com/lvsd/lvsd/internal/spawn"
	"github.com/lvsd/lvsd/vrrp"
)

// An Effect is something that the core wants done: one of these types.
type Effect any

type (
	// Start runs a program. It ends with a call of Ended with that number. One that is
	// urgent waits for no others.
	Start struct {
		ID      uint64
		Command spawn.Command
		Urgent  bool
	}
	// Keep runs a program that stays. It ends with a call of Ended with that number, and
	// reads what Lines returns.
	Keep struct {
		ID      uint64
		Command spawn.Command
	}
	// Feed says that Lines has something for that one.
	Feed struct{ ID uint64 }
	// Cancel ends a program that was started.
	Cancel struct{ ID uint64 }
	// Reply answers the question of a virtual router.
	Reply vrrp.Answer
	// Conclude answers the order to run hooks again.
	Conclude struct {
		Asker   func(api.Ordered)
		Outcome api.Ordered
	}
	// Tell reports an event.
	Tell struct{ event.Event }
)
