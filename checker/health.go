package checker

import (
	"math"
	"time"
)

// A State is what is known of a server: by one check, or by all of them.
type State uint8

// The states of a server.
const (
	// Unknown: there has been no result that says anything.
	Unknown State = iota
	// Down: it is not to be used.
	Down
	// Drained: it was found in the kernel's table with weight 0 and keeps its
	// row, and that weight, until its results decide.
	Drained
	// Up: it is to be used.
	Up
	// Abstained is the Vote of a check that could not be run so far. Nothing else is in
	// that state.
	Abstained
)

// String returns the state's name.
func (s State) String() string {
	return [...]string{"unknown", "down", "drained", "up", "abstained"}[s]
}

// A tally counts results in a row, and changes the state when they are enough.
type tally struct {
	state State
	// passed is the outcome of the newest results, and row how many of them
	// had it without a break.
	passed bool
	row    uint16
}

// count takes a result, and reports whether the state changed.
func (t *tally) count(passed bool, rise, fall int) (changed bool) {
	if passed != t.passed {
		t.passed, t.row = passed, 0
	}
	t.row += min(1, math.MaxUint16-t.row)
	next, needed := Down, fall
	if passed {
		next, needed = Up, rise
	}
	if t.state == next || t.state != Unknown && int(t.row) < needed {
		return false
	}
	t.state = next
	return true
}

// A Health is what the results of one check say about one server in one
// service. Its zero value is that of a server of which nothing is known.
//
//	                    unknown
//	     first Passed  ┌───┴───┐  first Failed
//	                   ▼       ▼
//	  ┌──────────────► up ──► down     up to down: fall × Failed in a row
//	  │ rise × Passed  ▲       │       down to up: rise × Passed in a row
//	  │                └───────┘
//	drained ──────────────► down       fall × Failed in a row
//
// A result that is neither Passed nor Failed moves nothing and interrupts no
// row: the state is kept for as long as the director cannot ask, unless the rules
// set an end to that. NotRunSince reports since when it has been so, for a finding.
//
// There are ten thousand of them, so it is small: what the configuration says is
// not in it.
type Health struct {
	tally
	// The newest result is outcome, reason, latency, detail, and at; zero before
	// the first.
	outcome Outcome
	reason  Reason
	silent  bool // what failed last failed so
	advice  Advice
	// certificateEnds is that of the newest result which had any.
	certificateEnds Day
	at              time.Time
	latency         time.Duration
	detail          string
	// notRunSince is nil unless the newest result was NotRun.
	notRunSince *time.Time
}

// NewHealth returns the health of a server that begins in a state. Where that
// is Unknown, the first result decides alone, without rise or fall. Any other
// state (the server was found in the kernel's table, or the configuration puts
// it in at once) is kept until rise passes or fall failures in a row say
// otherwise.
func NewHealth(begin State) Health { return Health{tally: tally{state: begin}} }

// Rules are what results mean for a state.
type Rules struct {
	// Rise and Fall are how many results in a row change it. They count as 1 where
	// they are less.
	Rise, Fall int
	// UnknownAfter is for how long results may be NotRun before each counts as
	// Failed; zero: for ever.
	UnknownAfter time.Duration
}

// Observe takes one result, and reports whether the state changed. After a reload
// the rules may be others: a row that is long enough by the new ones decides with
// its next result.
func (h *Health) Observe(now time.Time, r Result, by Rules) (changed bool) {
	h.outcome, h.reason, h.latency, h.detail, h.at = r.Outcome, r.Reason, r.Latency, r.Detail, r.At
	if r.Outcome == Failed {
		h.silent = r.Silent && r.Reason != WrongAnswer // What its agent said before still holds.
	}
	if r.CertificateEnds != 0 {
		h.certificateEnds = r.CertificateEnds
	}
	if r.Outcome == Passed || r.Advice != (Advice{}) {
		h.advice = r.Advice
	}
	if r.Outcome != Passed && r.Outcome != Failed {
		if h.notRunSince == nil {
			h.notRunSince = &now
		}
		over := by.UnknownAfter > 0 && now.Sub(*h.notRunSince) >= by.UnknownAfter
		return over && h.count(false, by.Rise, by.Fall)
	}
	h.notRunSince = nil
	return h.count(r.Outcome == Passed, by.Rise, by.Fall)
}

// State returns what the results so far say.
func (h *Health) State() State { return h.state }

// Vote returns what the check says in a Rule: its state, or Abstained where there is none
// because it could not be run.
func (h *Health) Vote() State {
	if h.state == Unknown && h.outcome == NotRun {
		return Abstained
	}
	return h.state
}

// Last returns the newest result of any outcome; its Outcome is zero before
// the first. Its CertificateEnds is that of the newest result which had any, and its
// Advice what Advice returns.
func (h *Health) Last() Result {
	return Result{At: h.at, Advice: h.advice, Latency: h.latency, Outcome: h.outcome, Detail: h.detail, Reason: h.reason, Silent: h.silent && h.outcome == Failed, CertificateEnds: h.certificateEnds}
}

// LastAt returns when the newest result came; zero before the first.
func (h *Health) LastAt() time.Time { return h.at }

// Advice returns what the newest result said of the weight that passed, or that said
// anything of it.
func (h *Health) Advice() Advice { return h.advice }

// Adopt lets a check that has had no result yet say what a weight is that was found.
func (h *Health) Adopt(weight uint32) {
	if weight <= MaxWeight {
		h.advice = Advice{Weight: uint16(weight), Measure: Absolute}
	}
}

// Silent reports whether nothing came back from the server when it failed last.
func (h *Health) Silent() bool { return h.silent }

// NotRunSince returns when the results began to be NotRun without a break; zero
// where the newest was not.
func (h *Health) NotRunSince() time.Time {
	if h.notRunSince == nil {
		return time.Time{}
	}
	return *h.notRunSince
}
