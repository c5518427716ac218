package ipvsctl

import "time"

// How long an operation that the kernel refused is left alone: at first, and
// at most, after the time was doubled with every further refusal.
const (
	firstHold = time.Second
	lastHold  = time.Minute
)

// holds are the operations that the kernel refused although its table is as
// we thought. An operation with another value is another operation, and is
// tried at once: a mended configuration waits for nothing.
type holds map[Op]hold

type hold struct {
	until  time.Time
	length time.Duration
	reason string
}

// add holds a refused operation, longer than the last time, and tells whether
// the reason is news.
func (h holds) add(now time.Time, op Op, reason string) (news bool) {
	last, again := h[op]
	length := firstHold
	if again {
		length = min(2*last.length, lastHold)
	}
	h[op] = hold{until: now.Add(length), length: length, reason: reason}
	return last.reason != reason
}

// due returns the operations that need not wait. What needs a service that
// waits to be added waits with it.
func (h holds) due(now time.Time, ops []Op) []Op {
	if len(h) == 0 {
		return ops
	}
	var due []Op
	missing := map[ServiceKey]bool{}
	for _, op := range ops {
		held, ok := h[op]
		switch {
		case ok && now.Before(held.until):
			missing[op.Service] = missing[op.Service] || op.Kind == AddService
		case !missing[op.Service]:
			due = append(due, op)
		}
	}
	return due
}

// keep forgets what is no longer among the operations that are left to do.
func (h holds) keep(ops []Op) {
	if len(h) == 0 {
		return
	}
	left := make(map[Op]bool, len(ops))
	for _, op := range ops {
		left[op] = true
	}
	for op := range h {
		if !left[op] {
			delete(h, op)
		}
	}
}

// next is when the first held operation is due again; zero where none is held.
func (h holds) next() time.Time {
	var next time.Time
	for _, held := range h {
		if next.IsZero() || held.until.Before(next) {
			next = held.until
		}
	}
	return next
}
