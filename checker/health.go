package checker

import "time"

// A Health is what the results of one check say about one server in one
// service. Its zero value is not useful: begin with NewHealth or Adopted.
//
//	     first Passed                 first Failed
//	 ┌──────────────────  unknown  ──────────────────┐
//	 ▼                                               ▼
//	up  ───────── fall × Failed in a row ────────►  down
//	 ◄─────────── rise × Passed in a row ──────────
//
// A NotRun result moves nothing and interrupts no row: the state is kept for as
// long as the director cannot ask, be it unknown, up or down. NotRunSince tells
// since when that is so, for a warning to the operator.
type Health struct {
	rise, fall int
	known, up  bool
	// against counts the results in a row that contradict the state.
	against     int
	last        Result
	notRunSince time.Time
}

// NewHealth returns the health of a server that nothing is known about: the
// first result that is not NotRun decides alone, without rise or fall. After
// it, rise passes in a row bring the server up and fall failures in a row take
// it down; below 1, either counts as 1.
func NewHealth(rise, fall int) Health {
	var h Health
	h.Reconfigure(rise, fall)
	return h
}

// Adopted returns the health of a server whose state is known before its first
// result: it was found in the kernel's table, or the configuration puts it in
// at once. It keeps that state until rise or fall results in a row say
// otherwise.
func Adopted(rise, fall int, up bool) Health {
	h := NewHealth(rise, fall)
	h.known, h.up = true, up
	return h
}

// Reconfigure sets rise and fall and keeps all else, the row begun included. A
// row that is long enough by the new numbers decides with its next result.
func (h *Health) Reconfigure(rise, fall int) {
	h.rise, h.fall = max(rise, 1), max(fall, 1)
}

// Observe takes one result, and says whether Up or Known changed.
func (h *Health) Observe(now time.Time, r Result) (changed bool) {
	h.last = r
	if r.Outcome != Passed && r.Outcome != Failed {
		if h.notRunSince.IsZero() {
			h.notRunSince = now
		}
		return false
	}
	h.notRunSince = time.Time{}
	passed := r.Outcome == Passed
	if h.known && passed == h.up {
		h.against = 0
		return false
	}
	h.against++
	if h.known && h.against < h.needed(passed) {
		return false
	}
	h.known, h.up, h.against = true, passed, 0
	return true
}

// needed returns how many results of one kind in a row change the state.
func (h *Health) needed(passed bool) int {
	if passed {
		return h.rise
	}
	return h.fall
}

// Up reports whether the server is to be used: false while nothing is known.
func (h *Health) Up() bool { return h.up }

// Known reports whether there is a state at all, by a result or by adoption.
func (h *Health) Known() bool { return h.known }

// Last returns the newest result of any outcome; its Outcome is zero before
// the first.
func (h *Health) Last() Result { return h.last }

// NotRunSince returns when the results began to be NotRun without a break; zero
// where the newest was not.
func (h *Health) NotRunSince() time.Time { return h.notRunSince }
