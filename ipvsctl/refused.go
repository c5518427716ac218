package ipvsctl

import (
	"maps"
	"time"
)

// How long an operation that the kernel refused is left alone: at first, and
// at most, after the time was doubled with every further refusal.
const (
	firstRetry = time.Second
	lastRetry  = time.Minute
)

// refused are the operations that the kernel refused although its table was as
// we thought. An operation with another value is another operation, and is
// tried at once: a corrected configuration waits for nothing.
type refused map[Op]retry

type retry struct {
	at     time.Time
	pause  time.Duration // before this retry
	reason string
}

// add puts a refused operation off, for longer than the last time, and reports
// whether the kernel's reason is a new one.
func (r refused) add(now time.Time, op Op, reason string) (news bool) {
	last := r[op]
	pause := longer(last.pause, firstRetry, lastRetry)
	r[op] = retry{at: now.Add(pause), pause: pause, reason: reason}
	return last.reason != reason
}

// due returns the operations that need not wait. What needs a service that
// waits to be added waits with it.
func (r refused) due(now time.Time, ops []Op) []Op {
	if len(r) == 0 {
		return ops
	}
	var due []Op
	missing := map[ServiceKey]bool{}
	for _, op := range ops {
		switch {
		case now.Before(r[op].at):
			missing[op.Service] = missing[op.Service] || op.Kind == AddService
		case !missing[op.Service]:
			due = append(due, op)
		}
	}
	return due
}

// keepOnly forgets every operation that is not among those left to do.
func (r refused) keepOnly(left []Op) {
	if len(r) == 0 {
		return
	}
	needed := make(map[Op]bool, len(left))
	for _, op := range left {
		needed[op] = true
	}
	maps.DeleteFunc(r, func(op Op, _ retry) bool { return !needed[op] })
}

// next returns the earlier of t and the first retry after now.
func (r refused) next(now, t time.Time) time.Time {
	for _, retry := range r {
		if retry.at.After(now) && retry.at.Before(t) {
			t = retry.at
		}
	}
	return t
}

// The pause after an exchange with the kernel failed: first and longest.
const (
	firstPause = 100 * time.Millisecond
	lastPause  = 10 * time.Second
)

// A backoff is the pause in which nothing is asked of the kernel, because the
// last exchange failed.
type backoff struct {
	pause time.Duration
	until time.Time
}

func (b *backoff) extend(now time.Time) {
	b.pause = longer(b.pause, firstPause, lastPause)
	b.until = now.Add(b.pause)
}

// longer doubles a pause between its first and its longest value.
func longer(pause, first, longest time.Duration) time.Duration {
	return min(max(2*pause, first), longest)
}
