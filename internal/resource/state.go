package resource

import (
	"time"

	"github.com/lvsd/lvsd/vrrp"
)

// A wish is what the states of virtual routers want of their resources.
type wish uint8

const (
	undecided wish = iota // nothing is known, or nobody has taken over: what runs goes on
	up
	down
)

// A standing is what was heard last of a virtual router.
type standing struct {
	wish wish
	// question is that of a Master that waits until it may leave; 0: there is none.
	question uint64
}

// lasting is how long a router must be in a fault of which no event has told: a keeper
// that is started again begins with faults that are none.
const lasting = 3 * time.Second

// follow is what a router wants by its status. One that was not Master since the start
// leaves what runs as it is until another Master is heard: it may have been started by
// an earlier process of this director, whose addresses are adopted in the same way.
func (s standing) follow(now time.Time, st *vrrp.Status) standing {
	q := st.Question
	switch {
	case q.Number != 0 && q.Step == vrrp.Leave:
		return standing{down, q.Number}
	case st.State == vrrp.Master && st.Phase == vrrp.Offering:
		return standing{wish: down}
	case st.State == vrrp.Master:
		return standing{wish: up}
	case st.State == vrrp.Backup && (st.Master.IsValid() || s.wish != undecided):
		return standing{wish: down}
	case st.Phase == vrrp.Ended && s.wish != undecided:
		return standing{wish: down}
	case st.Phase == vrrp.Waiting && st.Fault != "" && s.wish != undecided && now.Sub(st.Since) > lasting:
		return standing{wish: down}
	default:
		s.question = 0
		return s
	}
}

// hear is what a router wants after an event. It may find no room in a report, so the
// statuses alone have to lead to the same.
func (s standing) hear(e vrrp.Event) standing {
	if s.wish != undecided && e.Changed() && (e.Code == vrrp.StoodBack || e.Code == vrrp.StoppedRouter) {
		return standing{wish: down}
	}
	return s
}

// jointly is what several routers want that move together.
func jointly(all []standing) standing {
	joint := standing{wish: up}
	for _, s := range all {
		joint.question = max(joint.question, s.question)
		switch {
		case s.wish == down:
			joint.wish = down
		case s.wish == undecided && joint.wish == up:
			joint.wish = undecided
		}
	}
	return joint
}
