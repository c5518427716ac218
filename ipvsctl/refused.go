package ipvsctl

import (
	"maps"
	"time"
)

// A backoff is a pause, in which nothing is asked of the kernel because the last
// exchange failed, or an operation is left alone because it was refused.
type backoff struct {
	pause time.Duration
	until time.Time
}

// extend begins a pause of twice the last one's length, within bounds.
func (b *backoff) extend(now time.Time, first, longest time.Duration) {
	b.pause = min(max(2*b.pause, first), longest)
	b.until = now.Add(b.pause)
}

// The pause after an exchange with the kernel failed: first and longest.
const (
	firstPause = 100 * time.Millisecond
	lastPause  = 10 * time.Second
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
	backoff
	reason string
}

// add puts a refused operation off, for longer than the last time, and reports
// whether the kernel's reason is a new one.
func (r refused) add(now time.Time, op Op, reason string) (news bool) {
	next := r[op]
	news = next.reason != reason
	next.extend(now, firstRetry, lastRetry)
	next.reason = reason
	r[op] = next
	return news
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
		case now.Before(r[op].until):
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
		if retry.until.After(now) && retry.until.Before(t) {
			t = retry.until
		}
	}
	return t
}
