package checker

import (
	"cmp"
	"net/netip"
	"time"
)

// A Target is one distinct probe: what is done, to whom, and how often. It is
// comparable: whoever needs the same Target shares one probe and its results.
type Target struct {
	Spec Spec
	Addr netip.Addr // none where it is this machine that is probed
	Port uint16     // zero for a ping
	// Interval is the time from the start of one probe to the start of the
	// next.
	Interval time.Duration
	// Timeout is the one deadline of a whole probe, from its first system
	// call to the last byte that it needs. It may be longer than Interval: the
	// next probe then waits for the last one.
	Timeout time.Duration
}

// Compare orders targets by address and port, and by the rest where these are
// equal. Only equal targets compare as 0.
func (t Target) Compare(other Target) int {
	if c := t.Addr.Compare(other.Addr); c != 0 {
		return c
	}
	return cmp.Or(
		cmp.Compare(t.Port, other.Port),
		cmp.Compare(t.Spec, other.Spec),
		cmp.Compare(t.Interval, other.Interval),
		cmp.Compare(t.Timeout, other.Timeout),
	)
}

// An Outcome is how a probe ended.
type Outcome uint8

// The outcomes of a probe.
const (
	// Passed: the server answered as expected, in time.
	Passed Outcome = iota + 1
	// Failed: the server refused, was silent, or answered something else.
	Failed
	// NotRun: the probe could not be run for a reason of this director's own
	// (no route, no socket, no processor time). It says nothing about the server.
	NotRun
)

// outcomeNames are the names of the outcomes, in status and metrics.
var outcomeNames = [...]string{"none", Passed: "passed", Failed: "failed", NotRun: "not_run"}

// String returns the outcome's name: "passed", "failed", "not_run", or "none".
func (o Outcome) String() string {
	if int(o) < len(outcomeNames) {
		return outcomeNames[o]
	}
	return outcomeNames[0]
}

// A Result is what one probe found.
type Result struct {
	// At is when the probe ended; Latency is how long it took.
	At      time.Time
	Latency time.Duration
	Outcome Outcome
	// Detail is what happened in the words of an operator: "connection
	// refused", "status 503, want 200-299". Empty if the probe passed.
	Detail string
	// Number is what a probe has found that looks for one.
	Number int
	// Refused is true if it failed because the server's host refused the
	// connection. That is certain, where silence may be a lost packet, so the
	// next probe comes soon.
	Refused bool
}
