package ipvsctl

import (
	"iter"
	"slices"
	"time"
)

const (
	// The time between two looks at the kernel's table. A flush by hand is
	// repaired after this time and what the repair takes.
	lookInterval = time.Second

	// The services whose real servers are compared at each look: this many,
	// or as many as make a round of the whole table in auditRounds looks. On a director at
	// rest this is most of what there is to do.
	auditSlice  = 8
	auditRounds = 30

	// The services with thresholds whose counters are read at each look: who serves
	// depends on them.
	fullSlice = 256
)

// An audit decides what is compared with the kernel, and when: all services at
// each look, and the real servers of some of them in turn.
type audit struct {
	due   time.Time    // of the next look
	queue []ServiceKey // services of this round whose real servers are still to be compared
	full  []ServiceKey // services of this round whose servers may be full, or that are watched
	ended time.Time    // when the last round ended
}

// slice takes services off the queue whose turn it is.
func (a *audit) slice(t Table, more func() bool) iter.Seq[ServiceKey] {
	if len(a.queue) == 0 {
		a.queue = t.Keys()
	}
	return taken(&a.queue, max(auditSlice, (len(t)+auditRounds-1)/auditRounds), t, more)
}

// taken takes so many services off the front of a queue, as long as more reports
// true: those that are left wait for the next look. It skips those that are gone.
func taken(queue *[]ServiceKey, size int, t Table, more func() bool) iter.Seq[ServiceKey] {
	return func(yield func(ServiceKey) bool) {
		for range min(len(*queue), size) {
			if !more() {
				return
			}
			key := (*queue)[0]
			*queue = (*queue)[1:]
			if _, exists := t[key]; exists && !yield(key) {
				return
			}
		}
	}
}

// done ends a look. One that failed is not done, and stays due.
func (a *audit) done(now time.Time) {
	a.due = now.Add(lookInterval)
	if len(a.queue) == 0 {
		a.ended = now
	}
}

// thresholds takes services off their own queue that are watched, or whose servers have
// thresholds. A
// table that the audit reads whole at each look has none for it.
func (a *audit) thresholds(t Table, watched []ServiceKey, more func() bool) iter.Seq[ServiceKey] {
	if len(a.full) == 0 && len(t) > auditSlice {
		for key, s := range t {
			if _, found := slices.BinarySearchFunc(watched, key, ServiceKey.Compare); found || slices.ContainsFunc(s.Destinations, func(r Row[Destination]) bool { return r.Value.Upper > 0 }) {
				a.full = append(a.full, key)
			}
		}
		slices.SortFunc(a.full, ServiceKey.Compare)
	}
	return taken(&a.full, fullSlice, t, more)
}
