package checker

import (
	"container/heap"
	"slices"
	"time"
)

// What others than its results may do to the time at which a target is due.

// A target that is suspected has so many results soon: its Fall, or the default where that is
// not known.
const (
	defaultSuspected = 3
	maxSuspected     = 10
)

// maxLost is how many probes of one target may be given up that have not ended.
const maxLost = 2

// retry makes the targets due whose last probe could not be run. One that is in
// flight may have found what has just changed, and counts if it has not.
func (s *schedule) retry(now time.Time) {
	for _, e := range s.entries {
		e.doubts = 0
		switch {
		case e.index == running:
			e.again = true
		case e.notRun:
			e.due = min(e.due, now.Sub(s.base))
		}
	}
	heap.Init(&s.queue)
}

// hurry makes the targets of a kind due: what they ask about has changed. One that is in
// flight may have looked before that, and is due again when it has ended.
func (s *schedule) hurry(now time.Time, kind string) {
	for _, e := range s.entries {
		if e.target.Spec.Kind() == kind {
			e.due = min(e.due, now.Sub(s.base))
			e.hurried = e.index == running
		}
	}
	heap.Init(&s.queue)
}

// setIdle makes these the targets that nobody needs now. Those that are needed again are due
// as soon as they would be by their usual interval.
func (s *schedule) setIdle(now time.Time, targets []*Target) {
	wanted := slices.Clone(targets)
	slices.SortFunc(wanted, func(a, b *Target) int { return a.Compare(*b) })
	for _, e := range s.entries {
		for len(wanted) > 0 && wanted[0].Compare(*e.target) < 0 {
			wanted = wanted[1:]
		}
		idle := len(wanted) > 0 && *wanted[0] == *e.target
		if e.idle == idle {
			continue
		}
		if e.idle = idle; !idle {
			e.due = min(e.due, s.next(e, now.Sub(s.base)))
		}
	}
	heap.Init(&s.queue)
}

// suspect makes targets due, and their next results come soon, so many as would change
// their state, if all failed.
func (s *schedule) suspect(now time.Time, targets []Target) {
	for _, t := range targets {
		i, known := s.find(t)
		if !known {
			continue
		}
		e := s.entries[i]
		e.suspected = uint8(min(max(t.Pace.Fall, defaultSuspected), maxSuspected))
		e.due = min(e.due, now.Sub(s.base))
		e.hurried = e.index == running
	}
	heap.Init(&s.queue)
}

// giveUp gives up the probe of a target that is in flight, if it has not ended and too many
// of the target's have not been given up already. The target is due at once.
func (s *schedule) giveUp(now time.Time, t Target) (e *entry) {
	i, known := s.find(t)
	if !known {
		return nil
	}
	if e = s.entries[i]; e.index != running || e.concluded || e.lost == maxLost {
		return nil
	}
	if e.cancel != nil {
		e.cancel()
	}
	e.life++
	e.lost++
	e.due = now.Sub(s.base)
	s.finish(e)
	return e
}
