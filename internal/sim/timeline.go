package sim

import (
	"container/heap"
	"fmt"
	"math"
	"math/rand/v2"
	"time"
)

// epoch is when every simulation begins, and never is a moment that does not come.
var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

const never = time.Duration(math.MaxInt64)

// A timeline is virtual time: what happens in it, one event after the other,
// and chance. It is deterministic: the same seed and the same calls give the
// same run. It stops at the first invariant that is broken.
type timeline struct {
	// Log receives one line for everything that happens; nil: nobody does.
	Log func(line string)

	now    time.Duration // since epoch
	rng    *rand.Rand
	events events
	count  uint64 // of all events so far
	timers []timer
	// checks are what is looked at after every event.
	checks []func()
	broken error
}

// A timer is something that happens at a moment which may change.
type timer struct {
	at func() time.Duration
	do func()
}

// An event is something that happens once. Of those at the same moment, the one
// that was put there first comes first.
type event struct {
	at    time.Duration
	order uint64
	do    func()
}

func newTimeline(seed uint64) timeline {
	return timeline{rng: rand.New(rand.NewPCG(seed, 0x6c767364))}
}

// Now returns the time since the simulation began.
func (l *timeline) Now() time.Duration { return l.now }

// Run lets the time pass, and returns the first broken invariant.
func (l *timeline) Run(d time.Duration) error {
	for end := l.now + d; l.broken == nil; {
		at, step := l.next()
		if at > end {
			l.now = end
			break
		}
		l.now = max(l.now, at)
		step()
		for _, check := range l.checks {
			check()
		}
	}
	return l.broken
}

// next returns the next event or timer.
func (l *timeline) next() (time.Duration, func()) {
	at, step := never, func() {}
	if len(l.events) > 0 {
		at, step = l.events[0].at, func() { heap.Pop(&l.events).(event).do() }
	}
	for _, t := range l.timers {
		if due := t.at(); due < at {
			at, step = due, t.do
		}
	}
	return at, step
}

// after lets something happen after a time.
func (l *timeline) after(d time.Duration, do func()) {
	l.count++
	heap.Push(&l.events, event{l.now + d, l.count, do})
}

// fail notes that an invariant is broken, by whom and how.
func (l *timeline) fail(name, format string, args ...any) {
	if l.broken == nil {
		l.broken = fmt.Errorf("at %s: %s: %s", l.now, name, fmt.Sprintf(format, args...))
		l.logf("BROKEN: %v", l.broken)
	}
}

func (l *timeline) chance(p float64) bool { return p > 0 && l.rng.Float64() < p }

// upTo returns a random time below d.
func (l *timeline) upTo(d time.Duration) time.Duration {
	if d <= 0 {
		return 0
	}
	return time.Duration(l.rng.Int64N(int64(d)))
}

func (l *timeline) logf(format string, args ...any) {
	if l.Log != nil {
		l.Log(fmt.Sprintf("%10.4fs  ", l.now.Seconds()) + fmt.Sprintf(format, args...))
	}
}

// events are a heap by moment.
type events []event

func (e events) Len() int { return len(e) }
func (e events) Less(i, j int) bool {
	return e[i].at < e[j].at || e[i].at == e[j].at && e[i].order < e[j].order
}
func (e events) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e *events) Push(x any)   { *e = append(*e, x.(event)) }
func (e *events) Pop() any {
	last := len(*e) - 1
	x := (*e)[last]
	*e = (*e)[:last]
	return x
}
