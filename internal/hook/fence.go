package hook

import (
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/vrrp"
)

// A fence is what is run before a virtual router, or all of a sync group, may become
// Master, one program after the other.
type fence struct {
	config.Owner
	router   string // that asked
	question vrrp.Question
	left     []step
	running  *step
	failed   []string
	required bool // one of the programs decides
	denied   bool // and has failed
	called   bool // off: the answer does not matter any more
}

// A step is one program of a fence, and whose it is.
type step struct {
	of *queue
	run
}

// callOff ends what runs.
func (f *fence) callOff() []Effect {
	if f == nil || f.running == nil {
		return nil
	}
	f.called = true
	return []Effect{Cancel{f.running.id}}
}
