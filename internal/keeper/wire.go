package keeper

import (
	"bufio"
	"encoding/json"
	"io"
	"math"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lvsd/lvsd/vrrp"
)

const (
	// pulse is how often each end shows that it is alive: the director's loop
	// by Heartbeat, the keeper by a snapshot.
	pulse = time.Second
	// patience is how many pulses in a row may be missing. They are counted
	// on a ticker that drops what it missed, so that a process that was
	// stopped itself does not take the other one for dead.
	patience = 10
	// maxEvents bounds the events that wait to be told.
	maxEvents = 256
	// directorLost is the code of the event with which a keeper begins to hand over
	// for a director that is gone or hangs.
	directorLost = "director-lost"
	// spacing is the shortest time between two snapshots.
	spacing = 20 * time.Millisecond
)

// An order is what the director sends; each is one JSON value.
type order struct {
	Desired *vrrp.Desired `json:"desired,omitempty"`
	// Resume are routers that were Master in the keeper before this one.
	Resume []resumption `json:"resume,omitempty"`
	// Signed is what earlier keepers may have signed with.
	Signed vrrp.Sequence `json:"signed,omitempty"`
	// Keys are the texts of the routers' keys, in their order: a vrrp.Secret is encoded
	// without its own.
	Keys [][]byte `json:"keys,omitempty"`
	// Processors are those that the keeper is to run on; nil: as before, and empty: all.
	Processors *[]int `json:"processors,omitempty"`
	// Answers are to questions of the routers.
	Answers []vrrp.Answer `json:"answers,omitempty"`
	// Heartbeat: the director's loop is alive.
	Heartbeat bool `json:"heartbeat,omitempty"`
	// Watchdog is the one to be fed from now on; nil: as before.
	Watchdog *Watchdog `json:"watchdog,omitempty"`
}

// A Watchdog is a device of the kernel that resets the machine when it is not fed
// in time (Documentation/watchdog/watchdog-api.rst).
type Watchdog struct {
	Device  string        `json:"device"` // its path; empty: none
	Timeout time.Duration `json:"timeout_ns"`
}

// A WatchdogStatus is how a watchdog is.
type WatchdogStatus struct {
	Watchdog      // its timeout is the device's, which may be rounded
	Fed      bool `json:"fed"`
	// Why is what is in the way of that.
	Why string `json:"why,omitempty"`
}

// keysOf returns the texts of all keys.
func keysOf(routers []vrrp.Config) (texts [][]byte) {
	for i := range routers {
		for _, k := range routers[i].Authentication.Keys {
			texts = append(texts, []byte(k.Secret.Reveal()))
		}
	}
	return texts
}

// giveKeys gives all keys their texts.
func giveKeys(routers []vrrp.Config, texts [][]byte) {
	for i := range routers {
		keys := routers[i].Authentication.Keys
		for j := range keys[:min(len(keys), len(texts))] {
			keys[j].Secret = vrrp.NewSecret(string(texts[j]))
		}
		texts = texts[min(len(keys), len(texts)):]
	}
}

// A resumption is a vrrp.Resumption on its way. JSON has no monotonic clock, the wall
// clock may be set before a new keeper has read it, and a duration would begin anew
// then: so it has a reading of the clock that all processes have in common.
type resumption struct {
	Router string `json:"router"`
	// Before is by CLOCK_BOOTTIME, which goes on while the machine is suspended.
	Before time.Duration `json:"before_ns"`
}

// boottime reads CLOCK_BOOTTIME.
func boottime() time.Duration {
	var t unix.Timespec
	if unix.ClockGettime(unix.CLOCK_BOOTTIME, &t) != nil {
		return math.MaxInt64 // no time is before that
	}
	return time.Duration(t.Nano())
}

// resumptions are those that arrived at a time, which was boot by CLOCK_BOOTTIME.
func resumptions(now time.Time, boot time.Duration, all []resumption) []vrrp.Resumption {
	var resume []vrrp.Resumption
	for _, r := range all {
		resume = append(resume, vrrp.Resumption{Router: r.Router, Before: now.Add(r.Before - boot)})
	}
	return resume
}

// A snapshot is what the keeper sends; each is one JSON value.
type snapshot struct {
	// Static is how what is kept without a router stands; nil: there is nothing.
	Static *vrrp.StaticStatus `json:"static,omitempty"`
	Affinity
	vrrp.Report
	Events []vrrp.Event `json:"events,omitempty"`
	// Dropped counts the events since the last snapshot that found no room.
	Dropped uint64 `json:"dropped,omitempty"`
	// Unclaimed counts packets of routers that are not configured here.
	Unclaimed uint64 `json:"unclaimed,omitempty"`
	// Others counts the VRRP sockets of other daemons on this machine.
	Others  int      `json:"others,omitempty"`
	Process *Process `json:"process,omitempty"`
	// Signed is Session.Signed.
	Signed   vrrp.Sequence  `json:"signed,omitempty"`
	Watchdog WatchdogStatus `json:"watchdog,omitzero"`
}

// A Status is how the keeper itself is.
type Status struct {
	Process
	PID       int       // zero while none runs
	Restarts  uint64    // attempts to start it again
	Restarted time.Time // the last of them
	Dropped   uint64    // events that found no room
	Unclaimed uint64    // packets for virtual routers that are not configured here
	Others    int       // VRRP sockets of other daemons on this machine
	// Static is how what is kept without a router stands; nil: there is nothing.
	Static *vrrp.StaticStatus
	Affinity
	// Reported is when it told last how the routers are.
	Reported time.Time
	Watchdog WatchdogStatus
}

// A Process is how the keeper's process runs.
type Process struct {
	// Realtime: under SCHED_RR; Locked: its memory is not paged out. Where
	// one of them is false, Why is what is missing.
	Realtime bool   `json:"realtime"`
	Locked   bool   `json:"locked"`
	Why      string `json:"why,omitempty"`
}

// A silence counts the pulses since the other process gave a sign of life.
type silence struct{ pulses atomic.Int32 }

func (s *silence) sign() { s.pulses.Store(0) }

// missed counts a pulse, and reports whether there were too many.
func (s *silence) missed() bool { return s.pulses.Add(1) >= patience }

// receive calls f with each value that arrives, until the other end is gone. Each is a
// line. A json.Decoder would keep room for the longest value for ever: a megabyte, with a
// thousand routers.
func receive[T any](r io.Reader, f func(T)) {
	for lines := bufio.NewReader(r); ; {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return
		}
		var value T
		if json.Unmarshal(line, &value) != nil {
			return
		}
		f(value)
	}
}

func token(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
