package daemon

import (
	"bytes"
	"os"
	"runtime/debug"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lvsd/lvsd/internal/orders"
	"github.com/lvsd/lvsd/internal/program"
)

// These are the garbage collector's GOGC. At rest there is little garbage, and
// memory is what counts. A reload of ten thousand servers leaves half of the heap
// as garbage: collecting that as often as at rest nearly doubles its processor time.
const (
	collectorBusy = 100 // until the daemon is at rest
	collectorRest = 10
)

// restAfter is how long after a start or a reload a daemon is at rest. The first
// checks of all its servers begin when the table is loaded.
const restAfter = 3 * time.Second

// A collector makes the garbage collector follow what the daemon does.
type collector struct {
	rest *time.Timer // nil until the daemon is ready
}

// follow follows the state that the service manager is told.
func (c *collector) follow(state string) {
	switch state {
	case "RELOADING=1":
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
	_ = program.DropPages() // Where it fails, this process is merely larger.
}

// withoutHugePages executes this program again, without huge pages, where the
// kernel gives them to everybody, as Debian's does: 2 MB in place of some 4 kB
// are 4 MB in this process and 2.5 in the keeper, which inherits this (measured).
// Set any later, it would not reach those that the Go runtime begins with. Where
// it fails, the daemon is only larger.
func withoutHugePages() {
	enabled, _ := os.ReadFile("/sys/kernel/mm/transparent_hugepage/enabled")
	off, err := unix.PrctlRetInt(unix.PR_GET_THP_DISABLE, 0, 0, 0, 0)
	if !bytes.Contains(enabled, []byte("[always]")) || off != 0 || err != nil {
		return
	}
	path, err := os.Executable()
	if err == nil && unix.Prctl(unix.PR_SET_THP_DISABLE, 1, 0, 0, 0) == nil {
		orders.Replace(func() { _ = unix.Exec(path, os.Args, os.Environ()) })
	}
}
