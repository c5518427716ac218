package director

import (
	"github.com/lvsd/lvsd/checker"
)

// maxOneByOne is how many changes of real servers are told one by one between two
// heartbeats, and maxSummaries of how many services the rest is told for each.
const (
	maxOneByOne  = 20
	maxSummaries = 10
)

// A bustle is what has changed since the last heartbeat: a rack that dies is not ten
// thousand lines.
type bustle struct {
	told     int
	services map[string]*changed
}

// A changed is how many servers of a service have changed that were not told one by one.
type changed struct {
	name             string
	down, up, reason int
	last             string // why the last one is down
}

// takes reports whether a change is told by itself, and counts it if not.
func (b *bustle) takes(change *Change) bool {
	if b.told < maxOneByOne {
		b.told++
		return true
	}
	s := b.services[change.Service]
	if s == nil {
		if b.services == nil {
			b.services = make(map[string]*changed)
		}
		s = &changed{name: change.Service}
		b.services[change.Service] = s
	}
	switch {
	case change.Before != "":
		s.reason++
	case change.State == checker.Up:
		s.up++
	case change.State == checker.Down:
		s.down++
	}
	if change.State == checker.Down {
		s.last = change.Detail
	}
	return false
}
