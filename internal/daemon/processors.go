package daemon

import (
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// A process that uses less than restBelow of one processor for so many seconds in a row is
// at rest, until it uses more than busyAbove within one.
const (
	restBelow   = 0.5
	busyAbove   = 0.75
	restSeconds = 10
)

// processors restrains a director at rest to one processor. With more of them, Go wakes a
// second thread whenever the first one does, to look for work that might be there, and a third
// one that looks after both. A few checks leave none: that was half of what they cost
// (measured on an emulated machine with two processors).
type processors struct {
	all  int           // that it may use, when it has much to do
	used time.Duration // of their time, when that was looked at last
	at   time.Time
	calm int // looks in a row at which it had used little
}

// newProcessors returns those of a process that has just started, and is not at rest.
func newProcessors() *processors { return &processors{all: runtime.GOMAXPROCS(0)} }

// look takes how much processor time the process has used until now, and returns how many
// processors it is to run on.
func (p *processors) look(now time.Time, used time.Duration) int {
	share := float64(used-p.used) / float64(max(now.Sub(p.at), 1))
	p.at, p.used = now, used
	switch {
	case share > busyAbove, p.calm < restSeconds && share > restBelow:
		p.calm = 0
	case p.calm < restSeconds:
		p.calm++
	}
	if p.calm < restSeconds {
		return p.all
	}
	return 1
}

// busy gives the process all processors, since it has been told to do something. Somebody
// waits for that.
func (p *processors) busy() {
	p.calm = 0
	use(p.all)
}

// beat looks how much the process does. It is called once a second.
func (p *processors) beat() {
	var used unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &used) == nil {
		use(p.look(time.Now(), time.Duration(used.Utime.Nano()+used.Stime.Nano())))
	}
}

// use has the process run on so many processors. To change that stops all of it for a moment.
func use(n int) {
	if n != runtime.GOMAXPROCS(0) {
		runtime.GOMAXPROCS(n)
	}
}
