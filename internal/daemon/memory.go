package daemon

import (
	"runtime/debug"
	"time"

	"github.com/lvsd/lvsd/internal/program"
)

// These are the garbage collector's GOGC. At rest, memory is what counts; but each look at a
// table of 37,205 servers leaves more than a megabyte of garbage, and with 10 to collect it
// took more of an emulated processor than the look. A reload of ten thousand servers leaves
// half of the heap as garbage: collecting that as often as at rest nearly doubles its
// processor time.
const (
	// collectorStart is for a start, which makes next to all of the heap and little
	// garbage: with collectorBusy it is looked at seven times while it grows.
	collectorStart = 400
	collectorBusy  = 100 // from a reload on until the daemon is at rest
	collectorRest  = 25
)

// restAfter is how long after a start or a reload a daemon is at rest. The first
// checks of all its servers begin when the table is loaded.
const restAfter = 3 * time.Second

// usedWithin is how long after that what a daemon at rest uses has been used: it has
// looked at all of its table, and collected its garbage.
const usedWithin = time.Minute

// reloading is what the service manager is told when a reload begins.
const reloading = "RELOADING=1"

// A collector makes the garbage collector follow what the daemon does.
type collector struct {
	rest *time.Timer // nil until the daemon is ready
}

// follow follows the state that the service manager is told.
func (c *collector) follow(state string) {
	switch state {
	case reloading:
		c.rest.Stop()
		debug.SetGCPercent(collectorBusy)
	case "READY=1":
		c.rest = time.AfterFunc(restAfter, atRest)
	}
}

// atRest gives back the memory that is not in use: what was replaced is garbage by
// now, and so is what the reader sent. It would be kept for minutes.
func atRest() {
	debug.SetGCPercent(collectorRest)
	debug.FreeOSMemory()
	_ = program.DropAllButUsed(usedWithin) // Where it fails, this process is merely larger.
}
