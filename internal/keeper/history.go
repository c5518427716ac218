package keeper

import (
	"maps"
	"slices"
	"time"

	"github.com/lvsd/lvsd/vrrp"
)

// maxTransitions bounds what is remembered of each router.
const maxTransitions = 10

// A Transition is a change of a router's state.
type Transition struct {
	At       time.Time
	From, To vrrp.State
	Why      string
}

// A history has the last transitions of each router, the newest first. It is the
// director's, so it outlives a keeper.
type history map[string][]Transition

// note notes an event that has arrived now, if it is a transition. Its moment is that
// of another process's wall clock, and becomes one of this one's clocks.
func (h history) note(now time.Time, e vrrp.Event) {
	if e.Changed() && e.Router != "" {
		was := h[e.Router]
		t := Transition{now.Add(-max(0, now.Sub(e.At))), e.From, e.To, e.Text}
		h[e.Router] = slices.Insert(slices.Clone(was[:min(len(was), maxTransitions-1)]), 0, t)
	}
}

// keep forgets all routers but these.
func (h history) keep(routers []vrrp.Config) {
	maps.DeleteFunc(h, func(name string, _ []Transition) bool {
		return !slices.ContainsFunc(routers, func(r vrrp.Config) bool { return r.Name == name })
	})
}

// lastWords bounds what is kept of a keeper's standard error, on which
// nothing but the trace of a crash is expected.
const lastWords = 16 << 10

// A head keeps the beginning of what is written to it: the trace of a crash
// begins with its cause.
type head []byte

func (h *head) Write(p []byte) (int, error) {
	*h = append(*h, p[:min(len(p), lastWords-len(*h))]...)
	return len(p), nil
}
