package checker

import (
	"cmp"
	"container/heap"
	"fmt"
	"slices"
	"time"
)

// A target that refused is probed again after a quarter of its interval, ten
// times in a row at most; after that it waits for its turn as any other.
const (
	retryDivisor = 4
	maxRetries   = 10
)

// A schedule knows when each target is due. An entry is either queued or
// running, never both, so that no target has two probes in flight.
type schedule struct {
	// base is the time from which all times of the schedule are counted.
	base time.Time
	grid
	// entries are all of them, in the order of their targets: in a slice they
	// take half of the memory that a map by target needs.
	entries []*entry
	queue   queue
	// reports are what agents have said so far, where there are any.
	reports map[*entry]Report
	// targets is how many distinct ones are wanted.
	targets int
}

// An entry is one target's place in the schedule.
type entry struct {
	// target is the last one that was set: the earlier ones, which are equal, can
	// be forgotten.
	target *Target
	// due is when the next probe is to start, counted from base.
	due time.Duration
	// cancel ends the running probe; nil before it begins.
	cancel func()
	// index is the place in the queue, or running.
	index int32
	// phase is where in its interval the target is probed, in parts of 1<<32: on
	// time, due is that plus a multiple of the interval, and the jitter.
	phase uint32
	// tally is what its results say, for its Pace.
	tally
	// note is the Engine's, and doubts are about it. silent: nothing came back the last
	// time.
	note   uint16
	doubts doubts
	silent bool
	// life changes when a probe in flight is given up, and lost is how many such probes have
	// not ended. concluded: the result of the one in flight has come, and is being reported.
	life      uint32
	lost      uint8
	concluded bool
	// refusals is how many results in a row were refusals, up to more than
	// maxRetries. It belongs to the target and bounds its quick retries; what
	// the results mean for a server is counted by its Health.
	refusals uint8
	// suspected is how many more results come soon, since something else speaks against it.
	suspected uint8
	// idle: nobody needs it now.
	idle bool
	// notRun is true if the last probe could not be run, and again if a retry was
	// asked for while this one was in flight.
	notRun, again bool
	// hurried is true if it was made due while its probe was in flight.
	hurried bool
	// unwanted is true if the target was removed while its probe was in flight,
	// with which the entry ends.
	unwanted bool
	// dropped is true if the probe in flight is one that was removed: its result
	// is discarded, even if the target is back by then.
	dropped bool
}

// running is the index of an entry whose probe is in flight.
const running = -1

// newSchedule returns a schedule without targets that counts time from base.
func newSchedule(base time.Time) *schedule { return &schedule{base: base} }

// set makes targets the whole of what is probed. New ones are due at once, and
// those already known keep their place. It returns the entries that were
// removed while their probe was in flight.
func (s *schedule) set(now time.Time, targets []*Target) (dropped []*entry) {
	wanted := slices.Clone(targets)
	slices.SortFunc(wanted, func(a, b *Target) int { return a.Compare(*b) })
	wanted = slices.CompactFunc(wanted, func(a, b *Target) bool { return *a == *b })
	s.targets, s.slot = len(wanted), slotFor(wanted)
	old := s.entries
	s.entries = make([]*entry, 0, len(wanted))
	for _, t := range wanted {
		for len(old) > 0 && old[0].target.Compare(*t) < 0 {
			dropped = s.remove(old[0], dropped)
			old = old[1:]
		}
		if len(old) > 0 && *old[0].target == *t {
			s.keep(now, old[0], t)
			old = old[1:]
		} else {
			s.add(now, t)
		}
	}
	for _, e := range old {
		dropped = s.remove(e, dropped)
	}
	return dropped
}

// add makes a new target due at once.
func (s *schedule) add(now time.Time, t *Target) {
	e := &entry{target: t, phase: phase(*t), due: now.Sub(s.base), tally: tally{state: Up}}
	s.entries = append(s.entries, e)
	heap.Push(&s.queue, e)
}

// keep leaves an entry in its place. If its target is back before the probe of
// its earlier life has ended, it is due at once after that.
func (s *schedule) keep(now time.Time, e *entry, t *Target) {
	e.target = t
	s.entries = append(s.entries, e)
	if e.dropped {
		e.due = now.Sub(s.base)
	}
	e.unwanted = false
}

// remove takes an entry out, unless its probe is in flight: then finish does.
// It appends to dropped the entries whose probe nobody wants any more.
func (s *schedule) remove(e *entry, dropped []*entry) []*entry {
	delete(s.reports, e)
	if e.index != running {
		heap.Remove(&s.queue, int(e.index))
		return dropped
	}
	s.entries = append(s.entries, e)
	e.unwanted = true
	if !e.dropped {
		e.dropped = true
		dropped = append(dropped, e)
	}
	return dropped
}

// start takes the entry that has been due longest out of the queue, and returns
// it with the time at which it was due; nil if none is due. The entry is
// running until finish puts it back.
func (s *schedule) start(now time.Time) (e *entry, due time.Time) {
	if !s.due(now) {
		return nil, time.Time{}
	}
	e = heap.Pop(&s.queue).(*entry)
	e.concluded = false
	due = s.base.Add(e.due)
	e.due = s.next(e, now.Sub(s.base))
	return e, due
}

// due reports whether an entry is due.
func (s *schedule) due(now time.Time) bool {
	return len(s.queue) > 0 && s.queue[0].due <= now.Sub(s.base)
}

// next returns when an entry is due again that was started: soon where its results
// are being counted, and otherwise at the first time on its grid after that. Times
// that passed while it waited or ran are skipped, not made up for.
func (s *schedule) next(e *entry, started time.Duration) time.Duration {
	interval := e.interval()
	if e.counting() || e.suspected > 0 {
		return ceil(started + interval)
	}
	offset := s.offset(e.phase, interval)
	round := (started - offset) / interval
	if started < offset {
		round--
	}
	next := offset + (round+1)*interval
	if e.refusals > 0 && next-started < interval/retryDivisor {
		round++ // a quick retry has just taken the place of this one
		next += interval
	}
	return next + s.jitter(e.phase, offset, round, interval)
}

// interval is the time from the start of one probe of an entry to that of the next,
// as its results are.
func (e *entry) interval() time.Duration {
	interval, pace := e.target.Interval, e.target.Pace
	switch {
	case e.counting():
		interval = pace.Fast.Duration()
	case e.state == Down && pace.Down > 0:
		interval = pace.Down.Duration()
	}
	if e.suspected > 0 && e.state != Down && !e.counting() {
		if interval /= retryDivisor; pace.Fast > 0 {
			interval = pace.Fast.Duration()
		}
	}
	if e.idle && !e.contradicted() && e.suspected == 0 {
		interval = max(interval, pace.Idle.Duration())
	}
	return max(interval, minInterval)
}

// counting reports whether the results of an entry are being counted whose pace is
// another one meanwhile.
func (e *entry) counting() bool { return e.target.Pace.Fast > 0 && e.contradicted() }

// contradicted reports whether the newest results of an entry are other than its state. A
// target begins as if it were up: one that is put into the table at once, or was found
// there, is out as soon as one that was up for long.
func (e *entry) contradicted() bool { return e.row > 0 && (e.state == Up) != e.passed }

// observe makes an entry due as its result demands.
func (s *schedule) observe(now time.Time, e *entry, r Result) {
	if r.Outcome == Passed || r.Outcome == Failed {
		s.follow(e, r)
	}
	if e.suspected > 0 {
		e.suspected--
		e.due = s.next(e, r.At.Add(-r.Latency).Sub(s.base))
	}
	e.notRun, e.silent = r.Outcome == NotRun, r.Silent
	if e.hurried || e.notRun && e.again {
		e.due = min(e.due, now.Sub(s.base))
	}
	e.again, e.hurried = false, false
	if r.Reason != Refused {
		e.refusals = 0
		return
	}
	e.refusals = min(e.refusals, maxRetries) + 1
	if e.refusals <= maxRetries && e.target.Pace.Fast == 0 {
		s.soon(now, e)
	}
}

// conclude is the result of an entry's probe, which follows from what its agent has said
// by now, if it has one.
func (s *schedule) conclude(e *entry, r Result) Result {
	if r.Report == nil {
		return r
	}
	if s.reports == nil {
		s.reports = make(map[*entry]Report)
	}
	said := s.reports[e].then(*r.Report)
	s.reports[e] = said
	r.Report, r.Advice = nil, said.Advice
	switch {
	case !said.Down || r.Outcome != Passed:
		return r
	case r.Detail == "":
		r.Detail = "the agent says " + said.Words
	default:
		r.Detail = fmt.Sprintf("the agent said %s, and since then: %s", said.Words, r.Detail)
	}
	r.Outcome, r.Reason = Failed, WrongAnswer
	return r
}

// follow counts a result for the pace of an entry, and makes it due by its new one
// where that has changed.
func (s *schedule) follow(e *entry, r Result) {
	pace := e.target.Pace
	if pace == (Pace{}) {
		return
	}
	before := e.interval()
	e.count(r.Outcome == Passed, int(pace.Rise), int(pace.Fall))
	if e.interval() != before {
		e.due = s.next(e, r.At.Add(-r.Latency).Sub(s.base))
	}
}

// soon makes the next try come soon after a refusal: it is certain that nobody
// listens there, and each client that is sent there is refused. If the interval is
// short, the next turn on the grid is as soon as that.
func (s *schedule) soon(now time.Time, e *entry) {
	at := now.Sub(s.base) + max(e.interval()/retryDivisor, minInterval)
	e.due = min(e.due, at.Truncate(tick)+tick)
}

// finish puts an entry whose probe has ended back into the queue, or forgets
// it if its target was removed. It reports whether the entry is now the first
// in the queue.
func (s *schedule) finish(e *entry) (first bool) {
	e.cancel, e.dropped = nil, false
	if e.unwanted {
		i, _ := s.find(*e.target)
		s.entries = slices.Delete(s.entries, i, i+1)
		return false
	}
	heap.Push(&s.queue, e)
	return e.index == 0
}

// find returns the index of a target's entry.
func (s *schedule) find(t Target) (index int, found bool) {
	return slices.BinarySearchFunc(s.entries, t, func(e *entry, t Target) int { return e.target.Compare(t) })
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

// bypassed counts the entries that the Engine is not asked about for a while.
func (s *schedule) bypassed() (n int) {
	for _, e := range s.entries {
		if e.doubts.bypassed() {
			n++
		}
	}
	return n
}

// deadline returns when the next target is due; zero if none is queued.
func (s *schedule) deadline() time.Time {
	if len(s.queue) == 0 {
		return time.Time{}
	}
	return s.base.Add(s.queue[0].due)
}

// A queue is a heap of entries by due time. Equal times are ordered by phase,
// so that the order does not depend on that of a map.
type queue []*entry

func (q queue) Len() int { return len(q) }

func (q queue) Less(i, j int) bool {
	return cmp.Or(cmp.Compare(q[i].due, q[j].due), cmp.Compare(q[i].phase, q[j].phase)) < 0
}

func (q queue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].index, q[j].index = int32(i), int32(j)
}

func (q *queue) Push(x any) {
	e := x.(*entry)
	e.index = int32(len(*q))
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
