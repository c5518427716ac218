package checker

import (
	"container/heap"
	"fmt"
	"hash/fnv"
	"math/bits"
	"time"
)

// minInterval bounds how often a target is probed, whatever it asks for.
const minInterval = 10 * time.Millisecond

// A target that refused is asked again after this part of its interval, so many
// times in a row; then it waits for its turn as others do.
const (
	hurry   = 4
	hurried = 10
)

// A schedule knows which target is due when. An entry is either queued or
// running, never both: that is why a target never has two probes in flight.
type schedule struct {
	// base is the time from which every grid is counted.
	base    time.Time
	entries map[Target]*entry
	queue   queue
	// round counts the sets, and wanted the targets of the last one.
	round  uint64
	wanted int
}

// An entry is one target's place in the schedule.
type entry struct {
	target Target
	// due is when the next probe is to start: the zero Duration is base.
	due   time.Duration
	phase time.Duration
	// index is the place in the queue, or running.
	index int
	// refusals is how many results in a row were refusals.
	refusals int
	// round is the last set that asked for the target.
	round uint64
	// stale: the probe that runs belongs to an earlier life of this target,
	// from before it was removed. Nobody wants its result.
	stale bool
	// cancel ends the running probe; nil before it begins.
	cancel func()
}

// running is the index of an entry whose probe is in flight.
const running = -1

// newSchedule returns a schedule without targets whose grids begin at base.
func newSchedule(base time.Time) *schedule {
	return &schedule{base: base, entries: make(map[Target]*entry)}
}

// set makes targets the whole of what is probed. New ones are due at once,
// those known keep their place. Returned are the entries whose probe is in
// flight for nobody any more.
func (s *schedule) set(now time.Time, targets []Target) (dropped []*entry) {
	s.round++
	for _, t := range targets {
		s.want(now, t)
	}
	s.wanted = 0
	for t, e := range s.entries {
		switch {
		case e.round == s.round:
			s.wanted++
		case e.index != running:
			heap.Remove(&s.queue, e.index)
			delete(s.entries, t)
		case !e.stale:
			e.stale = true
			dropped = append(dropped, e)
		}
	}
	return dropped
}

// want keeps or adds one target.
func (s *schedule) want(now time.Time, t Target) {
	e, ok := s.entries[t]
	switch {
	case !ok:
		e = &entry{target: t, phase: phase(t), due: now.Sub(s.base)}
		s.entries[t] = e
		heap.Push(&s.queue, e)
	case e.stale:
		// It was removed, and its last probe has not ended yet.
		e.due = now.Sub(s.base)
	}
	e.round = s.round
}

// start takes the entry that has been due longest, and says since when; nil
// where none is due. The entry is running until finish puts it back.
func (s *schedule) start(now time.Time) (e *entry, due time.Time) {
	if len(s.queue) == 0 || now.Sub(s.base) < s.queue[0].due {
		return nil, time.Time{}
	}
	e = heap.Pop(&s.queue).(*entry)
	due = s.base.Add(e.due)
	e.due = s.next(e, now.Sub(s.base))
	return e, due
}

// next returns the first time on the entry's grid after a start. Times that
// passed while it waited or ran are left out: there is no catching up.
func (s *schedule) next(e *entry, started time.Duration) time.Duration {
	every := max(e.target.Interval, minInterval)
	past := (started - e.phase) % every
	if past < 0 {
		past += every
	}
	next := started - past + every
	if e.refusals > 0 && next-started < every/hurry {
		next += every // the try off the grid was too close to it
	}
	return next
}

// hear takes note of a result. After a refusal the next try comes soon: it is
// certain that nobody listens, and each client that is sent there is refused.
// Where the interval is short, the next turn on the grid is as soon as that.
func (s *schedule) hear(now time.Time, e *entry, refused bool) {
	if !refused {
		e.refusals = 0
	} else if e.refusals++; e.refusals <= hurried {
		soon := now.Sub(s.base) + max(e.target.Interval/hurry, minInterval)
		e.due = min(e.due, soon.Truncate(tick)+tick)
	}
}

// finish puts the entry back whose probe has ended, or forgets it. It says
// whether the entry is now the first in the queue.
func (s *schedule) finish(e *entry) (first bool) {
	e.cancel, e.stale = nil, false
	if e.round != s.round {
		delete(s.entries, e.target)
		return false
	}
	heap.Push(&s.queue, e)
	return e.index == 0
}

// waiting counts the entries that are due.
func (s *schedule) waiting(now time.Time) (n int) {
	for _, e := range s.queue {
		if e.due <= now.Sub(s.base) {
			n++
		}
	}
	return n
}

// deadline returns when the next target is due; zero where none is queued.
func (s *schedule) deadline() time.Time {
	if len(s.queue) == 0 {
		return time.Time{}
	}
	return s.base.Add(s.queue[0].due)
}

// tick is the grain of a phase. Probes that are due within one tick start
// together: a wake of the process for each would cost it as much CPU time as
// the probe (measured: 56 µs against 15 for one in a batch of 20).
const tick = 10 * time.Millisecond

// phase returns where in its interval a target is probed: an even spread over
// all targets, and the same for one target in every run, so that a restart
// changes nothing.
func phase(t Target) time.Duration {
	h := fnv.New64a()
	fmt.Fprintf(h, "%T %v", t.Spec, t)
	// FNV leaves the high bits of similar short texts alike: mix them.
	x := h.Sum64()
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	x *= 0xc4ceb9fe1a85ec53
	x ^= x >> 33
	hi, _ := bits.Mul64(x, uint64(max(t.Interval, minInterval)))
	return time.Duration(hi).Truncate(tick)
}

// A queue is a heap of entries by due time. Equal times are ordered by phase,
// so that which of many is first does not depend on a map's order.
type queue []*entry

func (q queue) Len() int { return len(q) }

func (q queue) Less(i, j int) bool {
	if q[i].due != q[j].due {
		return q[i].due < q[j].due
	}
	return q[i].phase < q[j].phase
}

func (q queue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].index, q[j].index = i, j
}

func (q *queue) Push(x any) {
	e := x.(*entry)
	e.index = len(*q)
	*q = append(*q, e)
}

func (q *queue) Pop() any {
	old := *q
	e := old[len(old)-1]
	old[len(old)-1] = nil
	*q = old[:len(old)-1]
	e.index = running
	return e
}
